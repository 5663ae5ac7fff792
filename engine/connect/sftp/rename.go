package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pkg/sftp"
)

// Rename moves from to to. Servers differ in what they do when the name is taken, so
// it is looked at first; OpenSSH's then still refuses to overwrite.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	return change(ctx, c, "rename", from, func(s *session) error {
		client := s.sftp
		old, err := client.Lstat(from)
		if err != nil {
			return err
		}
		switch i, err := client.Lstat(to); {
		case err == nil && isHalfRenamed(client, old, i, from, to):
			return finishRename(client, from, to)
		case err == nil:
			return fmt.Errorf("to %s: %w", to, fs.ErrExist)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("to %s: %w", to, err)
		}
		err = client.Rename(from, to)
		if isRefusal(err) {
			err = taken(client, to, err)
		}
		return err
	})
}

// isHalfRenamed tells whether both names are of one file. OpenSSH renames by giving
// the new name and then taking the old one away; what ends it between them leaves both.
// The protocol tells no inode: of what looks the same one is given another access time,
// and if the other has it then, they are the same.
func isHalfRenamed(client *sftp.Client, a, b fs.FileInfo, from, to string) bool {
	if !a.Mode().IsRegular() || !b.Mode().IsRegular() || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()) {
		return false
	}
	if accessed(a).Unix() < 3 || accessed(b).Unix() < 3 { // the server does not tell
		return false
	}
	mark := accessed(b).Add(-time.Second)
	if mark.Equal(accessed(a)) {
		mark = mark.Add(-time.Second)
	}
	if client.Chtimes(from, mark, a.ModTime()) != nil {
		return false
	}
	b, err := client.Lstat(to)
	return err == nil && accessed(b).Equal(mark)
}

func accessed(i fs.FileInfo) time.Time {
	if s, ok := i.Sys().(*sftp.FileStat); ok {
		return time.Unix(int64(s.Atime), 0)
	}
	return time.Unix(0, 0)
}

// finishRename takes the old name away. By way of linked or mounted directories both
// may be one name, and that must not go: so the old one is set aside first, to see
// whether the new one stays.
func finishRename(client *sftp.Client, from, to string) error {
	aside := path.Join(path.Dir(from), "."+path.Base(from)+".renamed")
	if err := client.Rename(from, aside); err != nil {
		return fmt.Errorf("to %s: %w", to, fs.ErrExist)
	}
	if _, err := client.Lstat(to); err != nil {
		return errors.Join(fmt.Errorf("to %s: %w", to, fs.ErrExist), client.Rename(aside, from))
	}
	return client.Remove(aside)
}

// taken is fs.ErrExist if a refusal can be explained by that.
func taken(client *sftp.Client, path string, refusal error) error {
	if _, err := client.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return refusal
}
