package imap

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// uids are UIDs of a mailbox, written as IMAP does: "4:7,9".
type uids struct{ imap.UIDSet }

func (u uids) empty() bool { return len(u.UIDSet) == 0 }

func (u uids) all() []imap.UID {
	all, _ := u.Nums()
	return all
}

// with is u and more, without is u without less; neither changes u.
func (u uids) with(more ...imap.UID) uids {
	sum := imap.UIDSet{}
	sum.AddSet(u.UIDSet)
	sum.AddNum(more...)
	return uids{sum}
}

func (u uids) without(less uids) uids {
	var rest imap.UIDSet
	for _, n := range u.all() {
		if !less.Contains(n) {
			rest.AddNum(n)
		}
	}
	return uids{rest}
}

// and is what is in both.
func (u uids) and(other uids) uids {
	var both imap.UIDSet
	for _, n := range u.all() {
		if other.Contains(n) {
			both.AddNum(n)
		}
	}
	return uids{both}
}

// MarshalText writes them as IMAP does.
func (u uids) MarshalText() ([]byte, error) {
	if u.empty() {
		return nil, nil
	}
	return []byte(u.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (u *uids) UnmarshalText(text []byte) error {
	u.UIDSet = nil
	if len(text) == 0 {
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseUint(from, 10, 32)
		b, err2 := strconv.ParseUint(to, 10, 32)
		if err != nil || err2 != nil || a == 0 || b < a {
			return fmt.Errorf("%q is no set of UIDs", text)
		}
		u.AddRange(imap.UID(a), imap.UID(b))
	}
	return nil
}

// IsZero leaves out what is empty.
func (u uids) IsZero() bool { return u.empty() }
