package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"github.com/syncd/syncd/engine/connect/files"
)

// ReadDir lists dir.
func (c *Client) ReadDir(ctx context.Context, dir string) ([]files.Info, error) {
	return ask(ctx, c, "list", dir, func(s *session) ([]files.Info, error) {
		list, err := s.sftp.ReadDirContext(ctx, dir)
		if err != nil {
			return nil, err
		}
		infos := make([]files.Info, 0, len(list))
		for _, i := range list {
			// pkg/sftp has made base names of them; what is left of "../" is no name.
			if name := i.Name(); name != "." && name != ".." && name != "/" && !strings.ContainsRune(name, 0) {
				infos = append(infos, info(i))
			}
		}
		return infos, nil
	}, nil)
}

func info(i fs.FileInfo) files.Info {
	return files.Info{Name: i.Name(), Size: i.Size(), Mode: i.Mode(), ModTime: i.ModTime()}
}

// Stat tells of path.
func (c *Client) Stat(ctx context.Context, path string) (files.Info, error) {
	return ask(ctx, c, "stat", path, func(s *session) (files.Info, error) {
		i, err := s.sftp.Lstat(path)
		if err != nil {
			return files.Info{}, err
		}
		return info(i), nil
	}, nil)
}

// RealPath resolves path, link by link: not every server does it when it is asked.
func (c *Client) RealPath(ctx context.Context, path string) (string, error) {
	return ask(ctx, c, "resolve", path, func(s *session) (string, error) { return resolve(s.sftp, path) }, nil)
}

// maxLinks is how many symbolic links a path may lead over, as on Linux.
const maxLinks = 40

func resolve(client *sftp.Client, name string) (string, error) {
	done, rest := "/", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		at := path.Join(done, rest[0]) // ".." of what is resolved is its parent
		if rest = rest[1:]; at == done || strings.HasPrefix(done, at) {
			done = at
			continue
		}
		i, err := client.Lstat(at)
		if err != nil {
			return "", err
		}
		if i.Mode()&fs.ModeSymlink == 0 {
			done = at
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("too many symbolic links")
		}
		to, err := client.ReadLink(at)
		if err != nil {
			return "", err
		}
		if path.IsAbs(to) {
			done = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return done, nil
}

// Remove removes path.
func (c *Client) Remove(ctx context.Context, path string) error {
	return change(ctx, c, "remove", path, func(s *session) error {
		i, err := s.sftp.Lstat(path)
		if err != nil {
			return err
		}
		if i.IsDir() { // which pkg/sftp would remove as well
			return errors.New("it is a directory")
		}
		return s.sftp.Remove(path)
	})
}

// MakeDir makes dir.
func (c *Client) MakeDir(ctx context.Context, dir string) error {
	return change(ctx, c, "mkdir", dir, func(s *session) error { return makeDir(s.sftp, dir) })
}

func makeDir(client *sftp.Client, dir string) error {
	switch i, err := client.Stat(dir); {
	case err == nil && i.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is %s", dir, files.Describe(i.Mode()))
	case !errors.Is(err, fs.ErrNotExist) && !isRefusal(err): // OpenSSH: below a file is a failure
		return err
	}
	if dir == "/" {
		return fs.ErrNotExist
	}
	if err := makeDir(client, path.Dir(dir)); err != nil {
		return err
	}
	err := client.Mkdir(dir)
	if err != nil && isRefusal(err) {
		if i, err := client.Stat(dir); err == nil && i.IsDir() { // somebody else was quicker
			return nil
		}
	}
	return err
}

// regular opens what is a regular file. What is none is not even opened: that could
// wait at the server, for a writer of a FIFO.
func regular(client *sftp.Client, path string, flags int) (*sftp.File, os.FileInfo, error) {
	i, err := client.Lstat(path)
	if err == nil && i.Mode()&fs.ModeSymlink != 0 && flags != os.O_RDONLY {
		i, err = client.Stat(path)
	}
	if err != nil {
		return nil, nil, err
	}
	if !i.Mode().IsRegular() {
		return nil, nil, &files.NotRegularError{Path: path, Mode: i.Mode()}
	}
	f, err := client.OpenFile(path, flags)
	if err != nil {
		return nil, nil, err
	}
	if i, err = f.Stat(); err == nil && !i.Mode().IsRegular() {
		err = &files.NotRegularError{Path: path, Mode: i.Mode()}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, i, nil
}
