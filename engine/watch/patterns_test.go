package watch

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each pattern is played by the tools themselves: what they do, not what we think
// they do, must be one report.
func TestPatterns(t *testing.T) {
	const vim = `vim -u NONE -i NONE -es -c 'set nomodeline backupcopy=%s writebackup' -c '%%s/old/new/' -c wq conf/a.hcl`
	const unheard = "nothing that counts" // not even an event that leads to a look
	tests := []struct{ name, tool, script, want string }{
		{"vim backupcopy=auto", "vim", fmt.Sprintf(vim, "auto"), "conf/a.hcl"},
		{"vim backupcopy=no", "vim", fmt.Sprintf(vim, "no"), "conf/a.hcl"},
		{"vim backupcopy=yes", "vim", fmt.Sprintf(vim, "yes"), "conf/a.hcl"},
		{"vim that is left", "vim", `vim -u NONE -i NONE -es -c '%s/old/new/' -c 'preserve' -c 'q!' conf/a.hcl`, ""},
		{"emacs", "emacs", `emacs -Q --batch conf/a.hcl --eval '(progn (replace-string-in-region "old" "new" 1) (save-buffer))'`, "conf/a.hcl"},
		{"sed -i", "sed", `sed -i s/old/new/ conf/a.hcl conf/sub/c.hcl`, "conf/a.hcl conf/sub/c.hcl"},
		{"sed -i that finds nothing", "sed", `sed -i s/else/new/ conf/a.hcl`, ""},
		{"truncate and write", "", `echo new >conf/a.hcl`, "conf/a.hcl"},
		{"append", "", `for i in 1 2 3 4 5; do echo new >>conf/a.hcl; done`, "conf/a.hcl"},
		{"cp", "", `echo new >new; cp new conf/a.hcl`, "conf/a.hcl"},
		{"cp of the same", "", `cp conf/a.hcl same; cp same conf/a.hcl`, ""},
		{"cp -a of other text with the same size and time", "", `echo new >new; touch -r conf/a.hcl new; cp -a new conf/a.hcl`, "conf/a.hcl"},
		{"write and rename", "", `echo new >conf/.a.tmp; mv conf/.a.tmp conf/a.hcl`, "conf/a.hcl"},
		{"backup, then a new file", "", `mv conf/a.hcl conf/a.hcl~; echo new >conf/a.hcl`, "conf/a.hcl"},
		{"away and back", "", `mv conf/a.hcl elsewhere; mv elsewhere conf/a.hcl`, ""},
		{"two names exchanged", "", `mv conf/a.hcl x; mv conf/b.hcl conf/a.hcl; mv x conf/b.hcl`, "conf/a.hcl conf/b.hcl"},
		{"a file more", "", `echo new >conf/new.hcl`, "conf/new.hcl"},
		{"a file less", "", `rm conf/a.hcl`, "conf/a.hcl"},
		{"a file moved away", "", `mv conf/a.hcl a`, "conf/a.hcl"},
		{"a directory more", "", `mkdir -p conf/x/y/z; echo new >conf/x/y/z/new.hcl`, "conf/x/y/z/new.hcl"},
		{"a directory moved in", "", `mkdir x; echo new >x/new.hcl; mv x conf/x`, "conf/x/new.hcl"},
		{"a directory moved away", "", `mv conf/sub sub`, "conf/sub/c.hcl"},
		{"all directories made again", "", `rm -r conf; mkdir -p conf/sub; echo new >conf/sub/c.hcl`, "conf/a.hcl conf/b.hcl conf/sub/c.hcl"},
		{"the same made again", "", `cp -r conf same; rm -r conf; cp -r same conf`, ""},
		{"the directory exchanged", "", `cp -r conf next; echo new >next/a.hcl; mv conf before; mv next conf`, "conf/a.hcl"},
		{"rsync", "rsync", `cp -r conf next; echo newer >next/a.hcl; echo newer >next/d.hcl; rsync -r next/ conf/`, "conf/a.hcl conf/d.hcl"},
		{"rsync --inplace", "rsync", `cp -r conf next; echo newer >next/a.hcl; rsync -r --inplace next/ conf/`, "conf/a.hcl"},
		{"rsync --delete", "rsync", `mkdir next; echo newer >next/a.hcl; rsync -r --delete next/ conf/`, "conf/a.hcl conf/b.hcl conf/sub/c.hcl"},
		{"tar", "tar", `mkdir next; echo new >next/a.hcl; tar -C next -c . | tar -C conf -x`, "conf/a.hcl"},
		{"install", "", `echo new >new; install -m 600 new conf/a.hcl`, "conf/a.hcl"},
		{"another file that was read", "", `echo new >certs/key.pem`, "certs/key.pem"},
		{"another file, renamed over", "", `echo new >certs/new; mv certs/new certs/key.pem`, "certs/key.pem"},
		{"its directory exchanged", "", `mkdir next; echo new >next/key.pem; mv certs before; mv next certs`, "certs/key.pem"},
		{"a file that was missed", "", `mkdir -p far/away; echo new >far/away/data.csv`, "far/away/data.csv"},
		{"the way to a file that was missed", "", `mkdir -p far/other`, ""},
		{"a large file", "", `echo x >>large`, "large"},

		{"touch", "", `touch conf/a.hcl certs/key.pem`, ""},
		{"touch of another time", "", `touch -d 2001-01-01 conf/a.hcl`, ""},
		{"chmod", "", `chmod 600 conf/a.hcl; chmod 711 conf`, ""},
		{"reading", "", `cat conf/*.hcl certs/*; ls conf`, unheard},
		{"swap files and backups", "", `for f in .a.hcl.swp .a.hcl.swx 4913 a.hcl~ .#a.hcl '#a.hcl#' a.hcl.tmp .hidden.hcl; do echo x >conf/$f; rm conf/$f; done`, unheard},
		{"tests", "", `echo x >conf/a.test.hcl; echo x >conf/sub/b.test.hcl`, unheard},
		{"hidden directories", "", `mkdir -p conf/.git/refs; echo x >conf/.git/x.hcl; mv conf/.git conf/.hg`, ""},
		{"what a sink writes", "", `for i in 1 2 3 4 5; do echo x >>conf/sub/events.jsonl; done`, unheard},
		{"a pipe", "", `mkfifo conf/pipe`, unheard},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			need(t, test.tool)
			r := newRig(t)
			r.write("conf/a.hcl", "old\n")
			r.write("conf/b.hcl", "another old\n")
			r.write("conf/sub/c.hcl", "old, too\n")
			r.write("certs/key.pem", "old\n")
			r.write("large", strings.Repeat("x", hashed+1))
			r.start("certs/key.pem", "far/away/data.csv", "large")
			r.sh(test.script)
			if heard := r.expect(strings.TrimPrefix(test.want, unheard)); test.want == unheard && heard != nil {
				t.Errorf("counted events of %q", heard)
			}
			if r.log.String() != "" {
				t.Errorf("log: %s", r.log)
			}
			// It goes on, also behind directories that are others now.
			r.write("conf/z.hcl", "more")
			r.write("certs/key.pem", "more")
			r.expect("certs/key.pem conf/z.hcl")
		})
	}
}

func need(t *testing.T, tool string) {
	t.Helper()
	if tool == "" {
		return
	}
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("%s is not installed", tool)
	}
}

func TestGitCheckout(t *testing.T) {
	need(t, "git")
	r := newRig(t)
	commit := func(message string) string {
		return `git add .; git -c user.name=x -c user.email=x@example.com commit -qm ` + message + `; `
	}
	var want []string
	for n := range 50 {
		r.write(fmt.Sprintf("conf/d%d/f%02d.hcl", n%5, n), "new")
	}
	for d := range 5 {
		for n := d; n < 50; n += 5 {
			want = append(want, fmt.Sprintf("conf/d%d/f%02d.hcl", d, n))
		}
	}
	r.sh(`cd conf; git init -q; ` + commit("new") + `git tag new; for f in */*; do echo old >$f; done; echo same >kept.hcl; ` + commit("old"))
	r.start()
	r.sh(`cd conf; git checkout -q new -- .`)
	r.expect(strings.Join(want, " "))
	r.sh(`cd conf; git stash -q; git status; git gc -q`)
	r.expect(strings.Join(want, " "))
	r.sh(`cd conf; git checkout -q new`)
	r.expect(strings.Join(want, " ") + " conf/kept.hcl")
}

// One mtime, one size, one inode, other text: also right after it was read.
func TestSameStat(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	write := func(text string) {
		r.write("conf/a.hcl", text)
		r.ok(os.Chtimes(r.path("conf/a.hcl"), now, now))
	}
	write("a")
	r.start()
	for _, text := range []string{"b", "c", "d"} {
		write(text)
		r.expect("conf/a.hcl")
	}
}

// A file that becomes unreadable, or readable again, changes what a reading says.
func TestRights(t *testing.T) {
	if os.Geteuid() == 0 { // root reads everything
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestRights$", "-test.count=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Env = append(os.Environ(), "TMPDIR=/tmp")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("as nobody: %v\n%s", err, out)
		}
		return
	}
	r := newRig(t)
	r.write("conf/a.hcl", "text")
	r.write("conf/sub/b.hcl", "text")
	r.start()
	r.ok(os.Chmod(r.path("conf/a.hcl"), 0))
	r.expect("conf/a.hcl")
	r.ok(os.Chmod(r.path("conf/a.hcl"), 0o400))
	r.expect("conf/a.hcl")
	r.ok(os.Chmod(r.path("conf/sub"), 0))
	r.expect("conf/sub conf/sub/b.hcl")
	r.ok(os.Chmod(r.path("conf/sub"), 0o700))
	r.expect("conf/sub conf/sub/b.hcl")
}
