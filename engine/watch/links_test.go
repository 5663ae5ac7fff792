package watch

import "testing"

// Symlinks on the way, swapped as the tools that deploy with them do.
func TestLinks(t *testing.T) {
	tests := []struct{ name, setup, script, want string }{
		{
			"as Kubernetes mounts a ConfigMap",
			`mkdir -p conf/..1; echo old >conf/..1/a.hcl; echo old >conf/..1/b.hcl
			 ln -s ..1 conf/..data; ln -s ..data/a.hcl conf/a.hcl; ln -s ..data/b.hcl conf/b.hcl`,
			`mkdir conf/..2; echo new >conf/..2/a.hcl; echo old >conf/..2/b.hcl
			 ln -s ..2 conf/..data_tmp; mv -T conf/..data_tmp conf/..data; rm -r conf/..1`,
			"conf/a.hcl",
		},
		{
			"the configuration is a link",
			`mkdir 1 2; echo old >1/a.hcl; echo new >2/a.hcl; ln -s 1 conf`,
			`ln -s 2 next; mv -T next conf`,
			"conf/a.hcl",
		},
		{
			"a link on the way",
			`mkdir -p 1/app 2/app; echo old >1/app/a.hcl; echo new >2/app/a.hcl; ln -s 1 current; ln -s current/app conf`,
			`ln -sfn 2 current`,
			"conf/a.hcl",
		},
		{
			"behind a link, upwards",
			`mkdir -p 1/x shared; echo old >1/a.hcl; ln -s ../1/x shared/x; ln -s shared/x/.. conf`,
			`echo new >1/a.hcl`,
			"conf/a.hcl",
		},
		{
			"a link to the same",
			`mkdir 1 2; echo old >1/a.hcl; echo old >2/a.hcl; ln -s 1 conf`,
			`ln -sfn 2 conf`,
			"",
		},
		{
			"the target is written",
			`mkdir conf far; echo old >far/a; ln -s ../far/a conf/a.hcl`,
			`echo new >far/a`,
			"conf/a.hcl",
		},
		{
			"the target's directory is exchanged",
			`mkdir -p conf far/away; echo old >far/away/a; ln -s ../far/away/a conf/a.hcl`,
			`mkdir -p next/away; echo new >next/away/a; mv far before; mv next far`,
			"conf/a.hcl",
		},
		{
			"a link into the void",
			`mkdir conf; ln -s ../void/a conf/a.hcl`,
			`mkdir void; echo new >void/a`,
			"conf/a.hcl",
		},
		{
			"a link to itself",
			`ln -s conf conf`,
			`rm conf; mkdir conf; echo new >conf/a.hcl`,
			"conf conf/a.hcl",
		},
		{
			"a file for a directory",
			`echo old >conf`,
			`rm conf; mkdir conf; echo new >conf/a.hcl`,
			"conf conf/a.hcl",
		},
		{
			"nothing there yet",
			`true`,
			`mkdir conf; echo new >conf/a.hcl`,
			"conf conf/a.hcl",
		},
		{
			"one file",
			`echo old >conf`,
			`echo new >next; mv next conf`,
			"conf",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sh(test.setup)
			r.start()
			r.sh(test.script)
			r.expect(test.want)
			if r.log.String() != "" {
				t.Errorf("log: %s", r.log)
			}
			r.sh(`if [ -d conf ]; then echo more >conf/z.hcl; else echo more >>conf; fi`)
			want := "conf/z.hcl"
			if test.name == "one file" {
				want = "conf"
			}
			r.expect(want)
		})
	}
}
