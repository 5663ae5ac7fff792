package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// sensitiveMark is on every value that must not show.
const sensitiveMark = "sensitive"

// maxIncluded is the size of what file() and credential() read.
const maxIncluded = 8 << 20

// plainFunctions depend on nothing but their arguments.
func plainFunctions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "chomp": stdlib.ChompFunc,
		"coalesce": stdlib.CoalesceFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc,
		"contains": stdlib.ContainsFunc, "csvdecode": stdlib.CSVDecodeFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc,
		"format": stdlib.FormatFunc, "formatdate": stdlib.FormatDateFunc, "formatlist": stdlib.FormatListFunc,
		"indent": stdlib.IndentFunc, "join": stdlib.JoinFunc, "jsondecode": stdlib.JSONDecodeFunc,
		"jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": lengthFunc,
		"lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc, "max": stdlib.MaxFunc, "merge": stdlib.MergeFunc,
		"min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "regex": stdlib.RegexFunc,
		"regexall": stdlib.RegexAllFunc, "replace": stdlib.ReplaceFunc, "reverse": stdlib.ReverseListFunc,
		"slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "split": stdlib.SplitFunc,
		"strlen": stdlib.StrlenFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
		"title": stdlib.TitleFunc, "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"base64encode": stringFunc("text", func(s string) (string, error) {
			return base64.StdEncoding.EncodeToString([]byte(s)), nil
		}),
		"base64decode": stringFunc("text", decodeBase64),
		"sensitive": function.New(&function.Spec{
			Params: []function.Parameter{{
				Name: "value", Type: cty.DynamicPseudoType,
				AllowMarked: true, AllowUnknown: true, AllowNull: true, AllowDynamicType: true,
			}},
			Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return args[0].Mark(sensitiveMark), nil },
		}),
	}
}

func decodeBase64(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return "", function.NewArgErrorf(0, "not base64: %v", err)
	}
	if !utf8.Valid(b) {
		return "", function.NewArgErrorf(0, "what it decodes to is not UTF-8 text")
	}
	return string(b), nil
}

// stringFunc is a load function from one string to another.
func stringFunc(param string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: param, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(s), nil
		},
	})
}

// unsetName is an env or credential that a function did not find and gave a
// placeholder for.
type unsetName struct{ function, name string }

// unsetError is the same where placeholders are not allowed.
type unsetError struct {
	function, name, hint string
}

func (e *unsetError) Error() string { return e.hint }

func (e *unsetError) summary() string {
	if e.function == "env" {
		return fmt.Sprintf("environment variable %s is not set", e.name)
	}
	return fmt.Sprintf("no credential %q", e.name)
}

// missing is the answer to a name that is not there.
func (l *loader) missing(e *unsetError) (cty.Value, error) {
	if !l.placeholders() {
		return cty.NilVal, e
	}
	l.unset = append(l.unset, unsetName{e.function, e.name})
	v := cty.UnknownVal(cty.String)
	if e.function == "credential" {
		v = v.Mark(sensitiveMark)
	}
	return v, nil
}

func (l *loader) envFunc() function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam: &function.Parameter{Name: "default", Type: cty.String},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if v, ok := l.opts.LookupEnv(name); ok {
				return cty.StringVal(strings.ToValidUTF8(v, "\uFFFD")), nil
			}
			switch len(args) {
			case 1:
				return l.missing(&unsetError{"env", name, fmt.Sprintf("Set it, or give a default: env(%q, \"…\").", name)})
			case 2:
				return args[1], nil
			}
			return cty.NilVal, fmt.Errorf("env takes a name and a default, no more")
		},
	})
}

func (l *loader) credentialFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "name", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return l.credential(args[0].AsString()) },
	})
}

// credential reads a file of $CREDENTIALS_DIRECTORY, as systemd.exec(5) describes
// it for LoadCredential=. One newline at the end belongs to the file, not to the secret.
func (l *loader) credential(name string) (cty.Value, error) {
	if name == "" || name != filepath.Base(name) || name == "." || name == ".." {
		return cty.NilVal, function.NewArgErrorf(0, "a credential is the name of a file, without a path")
	}
	if l.opts.CredentialsDir == "" {
		return l.missing(&unsetError{"credential", name, "$CREDENTIALS_DIRECTORY is not set. Under systemd, LoadCredential=" + name +
			":/path/to/file in the unit sets it; by hand, point it to a directory with a file of that name."})
	}
	l.include(filepath.Join(l.opts.CredentialsDir, name))
	raw, err := readBounded(filepath.Join(l.opts.CredentialsDir, name), maxIncluded)
	if os.IsNotExist(err) {
		return l.missing(&unsetError{"credential", name, fmt.Sprintf("%s has no file of that name. Under systemd, LoadCredential=%s:/path/to/file in the unit puts it there.",
			l.opts.CredentialsDir, name)})
	}
	if err != nil {
		return cty.NilVal, fmt.Errorf("read credential: %w", err)
	}
	if !utf8.Valid(raw) {
		return cty.NilVal, fmt.Errorf("credential %s is not UTF-8 text", name)
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	return cty.StringVal(s).Mark(sensitiveMark), nil
}

// fileFunctions are those that look at paths, relative to the file they stand in.
func (l *loader) fileFunctions(dir string) map[string]function.Function {
	return map[string]function.Function{
		"abspath": stringFunc("path", func(p string) (string, error) { return absolute(dir, p), nil }),
		"file": stringFunc("path", func(p string) (string, error) {
			l.include(absolute(dir, p))
			raw, err := readBounded(absolute(dir, p), maxIncluded)
			var cause *fs.PathError
			if errors.As(err, &cause) {
				err = cause.Err
			}
			if err == nil && !utf8.Valid(raw) {
				err = errors.New("not UTF-8 text")
			}
			if errors.Is(err, fs.ErrNotExist) {
				return "", function.NewArgErrorf(0, "there is no file %s. A path is relative to the file that it stands in%s", p, similarPath(dir, p))
			}
			if err != nil {
				return "", function.NewArgErrorf(0, "%s: %w", p, err)
			}
			return string(raw), nil
		}),
	}
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// prepareFunctions makes the evaluation context that all files share, and one below
// it for each file.
func (l *loader) prepareFunctions() *hcl.EvalContext {
	shared := &hcl.EvalContext{Functions: plainFunctions()}
	shared.Functions["env"] = l.envFunc()
	shared.Functions["credential"] = l.credentialFunc()
	for _, f := range l.files {
		f.eval = shared.NewChild()
		f.eval.Functions = l.fileFunctions(filepath.Dir(f.path))
	}
	return shared
}
