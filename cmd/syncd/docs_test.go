package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The page on configuration names every attribute and block of every kind.
func TestConfigurationPageIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for _, k := range kinds() {
		for _, name := range tagNames(reflect.TypeOf(k.NewConfig()).Elem()) {
			names++
			written := regexp.MustCompile("`([a-z_]+ )?\"?" + name + "\"?[` ]")
			if !written.Match(text) {
				t.Errorf("%s %q: nothing on %s", k.Class, k.Name, name)
			}
		}
	}
	if names < 50 {
		t.Errorf("only %d names were looked for", names)
	}
}

// tagNames are the names in the hcl tags of t and of the structs in it.
func tagNames(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		if tag, ok := f.Tag.Lookup("hcl"); ok {
			if name, _, _ := strings.Cut(tag, ","); name != "" {
				names = append(names, name)
			}
			names = append(names, tagNames(f.Type)...)
		}
	}
	return names
}
