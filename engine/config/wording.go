package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// wording is a summary and a detail.
type wording struct{ summary, detail string }

// wordings are our words for what HCL's parser says, by its summary. What needs
// to know more than that is in reworded.
var wordings = map[string]wording{
	"Invalid argument name": {"a quoted name",
		"Names of attributes are not quoted. A field whose name is no plain word can be set by replace { body = … } as one expression."},
	"Missing newline after block definition": {"more on the line of a closing brace",
		"A block ends at the end of its line: what follows needs a line of its own."},
	"Missing false expression in conditional":    {"? without :", "A choice has both ways: condition ? value : other."},
	"Invalid attribute name":                     {"a name is missing behind the dot", "Write NAME.FIELD, or NAME[0] for an element of a list."},
	"Missing close bracket on index":             {"[ without ]", "The index is opened here and never closed."},
	"Missing close bracket on splat index":       {"[* without ]", "All elements of a list are written LIST[*].FIELD."},
	"Unbalanced parentheses":                     {"( without )", "A closing parenthesis is missing before this."},
	"Missing closing parenthesis":                {"( without )", "A closing parenthesis is missing before this."},
	"Unterminated function call":                 {"( without )", "The call is opened here and never closed."},
	"Missing argument separator":                 {"a comma is missing", "The arguments of a call are separated by commas."},
	"Missing item separator":                     {"a comma is missing", "The elements of a list are separated by commas, also over several lines. Is the ] missing that closes the list?"},
	"Missing attribute separator":                {"a comma is missing", "The fields of an object are separated by commas or stand on lines of their own."},
	"Missing attribute value":                    {"a field without a value", "A field of an object is written NAME = VALUE."},
	"Missing key/value separator":                {"a field without a value", "A field of an object is written NAME = VALUE; a name with dots, dashes or blanks is put in quotes. A block is written without =: NAME { … }."},
	"Ambiguous attribute key":                    {"unclear key", "A name with dots is put in quotes; a key that is computed in parentheses."},
	"Unterminated tuple constructor expression":  {"[ without ]", "The list is opened here and never closed."},
	"Unterminated object constructor expression": {"{ without }", "The object is opened here and never closed."},
	"Unclosed template interpolation sequence":   {"${ without }", "What is computed at load is opened here and never closed. Text that really has ${ in it is written $${."},
	"Extra characters after interpolation expression": {"unexpected text in ${…}",
		"What stands in ${…} is one value that is computed at load. Text that really has ${ in it is written $${."},
	"Invalid template interpolation value": {"a value that is no text in ${…}",
		"Only text, numbers, true and false can stand inside of text. A list becomes text by join(\", \", …), an object by jsonencode(…). Text that really has ${ in it is written $${."},
	"Invalid template control keyword": {"unknown %{…}", "There are %{ if CONDITION } … %{ else } … %{ endif } and %{ for X in LIST } … %{ endfor }. Text that really has %{ in it is written %%{."},
	"Invalid template directive":       {"unknown %{…}", "There are %{ if CONDITION } … %{ else } … %{ endif } and %{ for X in LIST } … %{ endfor }. Text that really has %{ in it is written %%{."},
	"Unexpected end of template":       {"%{…} without an end", "%{ if … } ends with %{ endif }, %{ for … } with %{ endfor }. Text that really has %{ in it is written %%{."},
	"Invalid character encoding":       {"not UTF-8", "The file must be UTF-8 text. Save it as UTF-8, or convert it: iconv -f windows-1252 -t utf-8."},
	"Invalid string literal":           {"a computed label", "A label is fixed text, without ${…} and %{…}. Many components of one block are made by for_each."},
	"Invalid single-argument block definition": {"a block on one line that does not end on it",
		"A block on one line holds one argument and then its closing brace. Anything longer, a heredoc say, goes over lines."},
	"Invalid number literal":   {"invalid number", "A number is written 42, -1 or 0.5. Anything else is text, in quotes."},
	"Invalid 'for' expression": {"invalid for", "Write [for x in LIST : VALUE], or {for k, v in OBJECT : KEY => VALUE}."},
	tooNested:                  {"nested too deeply", "Brackets and operators stand inside one another here beyond what can be read. Break the expression up with locals."},
	openString:                 {"string without an end", "A quoted string ends on the line that it begins on: is its closing quote missing? Text of several lines is written as a heredoc, <<-EOT."},
}

// reworded says in our words what HCL's parser found, and where exactly.
func (f *file) reworded(d *hcl.Diagnostic, at *spot) wording {
	word := at.source()
	if strings.HasPrefix(word, "#") || strings.HasPrefix(word, "//") {
		word = "" // a comment ends its line
		at.start = f.endOfText(at.start)
		at.end = at.start + 1
	}
	if w, ok := f.conflict(at); ok {
		return w
	}
	switch d.Summary {
	case "Argument or block definition required":
		return f.nothingToRead(word, at)
	case "Invalid block definition":
		return f.halfBlock(at)
	case "Invalid expression", "Missing expression":
		return f.noValue(word, at)
	case "Missing newline after argument", "Unexpected comma after argument":
		return f.overfull(word, at)
	case "Invalid single-argument block definition":
		if f.quoteBefore(at) {
			return quoteInString
		}
	case "Unclosed configuration block", "Unclosed configuration body":
		return f.unclosed(at)
	case "Invalid character":
		if bytes.HasPrefix(f.text, []byte("\xff\xfe")) || bytes.HasPrefix(f.text, []byte("\xfe\xff")) {
			return wording{"not UTF-8", "The file is UTF-16, as some editors of Windows write it. Save it as UTF-8, or convert it: iconv -f utf-16 -t utf-8."}
		}
		return strayCharacter(word)
	case "Unsupported operator":
		return strayOperator(word)
	case "Invalid escape sequence":
		return f.badEscape(at)
	case "Attribute redefined":
		return wording{"attribute set twice", f.firstPlace(d) + "Keep one of the two."}
	case noEnd:
		return f.noHeredocEnd(at)
	case openString:
		at.start, at.end = f.openQuote(at.start)
	}
	if w, ok := wordings[d.Summary]; ok {
		return w
	}
	return wording{lowerFirst(d.Summary), d.Detail}
}

// conflict recognises the marks that a version control system leaves.
func (f *file) conflict(at *spot) (wording, bool) {
	n := f.pos(at.start).Line
	mark := conflictMark.FindString(f.line(n))
	if mark == "" {
		return wording{}, false
	}
	at.start = f.lines[n-1]
	at.end = at.start + len(mark)
	return wording{"mark of a merge conflict", "Two versions of the file were merged here and did not fit: choose one and delete the lines of <<<<<<<, ======= and >>>>>>>."}, true
}

var conflictMark = regexp.MustCompile(`^(<{7}|={7}|>{7})( |$)`)

// nothingToRead is about something that begins neither an attribute nor a block.
func (f *file) nothingToRead(word string, at *spot) wording {
	before := strings.TrimSpace(string(f.text[f.lines[f.pos(at.start).Line-1]:at.start]))
	if bytes.HasPrefix(f.text[at.end:], []byte(":")) {
		before, word = word, ":"
		at.start, at.end = at.end, at.end+1
	}
	switch {
	case word == "}":
		return wording{"} without {", "This brace closes nothing: one is too many, or a { is missing above."}
	case word == ":" && before != "":
		return wording{": where = belongs", fmt.Sprintf("An attribute is written with an equals sign: %s = …", before)}
	case word == "." || word == "[":
		return wording{"a reference where an attribute or block belongs", "Write NAME = VALUE, or TYPE \"LABEL\" { … }."}
	case strings.HasPrefix(word, `"`):
		return wording{"a text where an attribute or block belongs", "Write NAME = VALUE, or TYPE \"LABEL\" { … }."}
	case before == "" && identifier.MatchString(word):
		return wording{word + " has no value", fmt.Sprintf("Write %s = VALUE, or %s { … } for a block.", word, word)}
	}
	return wording{"this is neither an attribute nor a block", "Write NAME = VALUE, or TYPE \"LABEL\" { … }."}
}

var identifier = regexp.MustCompile(`^[a-zA-Z][\w-]*$`)

// blockHead is what begins a line like a block: a word and quoted labels.
var blockHead = regexp.MustCompile(`^\s*([\w-]+)\s+("[^"]*")\s*$`)

// halfBlock is about a block that lacks its brace, or has an equals sign.
func (f *file) halfBlock(at *spot) wording {
	n := f.pos(at.start).Line
	text := f.code(n)
	if at.source() == "=" {
		return wording{"a block with an equals sign", "A block is written without =: " + strings.TrimSpace(string(f.text[f.lines[n-1]:at.start])) + " { … }."}
	}
	if n < len(f.lines) && strings.HasPrefix(strings.TrimSpace(f.line(n+1)), "{") {
		return wording{"{ on the next line", "The brace stands on the line of the block's type and labels: " + strings.TrimSpace(text) + " {"}
	}
	if m := blockHead.FindStringSubmatch(text); m != nil {
		at.start, at.end = f.lines[n-1], f.lines[n-1]+len(text)
		at.start += len(text) - len(strings.TrimLeft(text, " \t"))
		return wording{"= or { is missing", fmt.Sprintf("An attribute is written with an equals sign: %s = \"…\". A block has braces: %s \"…\" { … }.", m[1], m[1])}
	}
	return wording{"{ is missing", "A block is written TYPE \"LABEL\" { … }, its brace on the same line; an attribute NAME = VALUE."}
}

// noValue is about what stands where a value belongs.
func (f *file) noValue(word string, at *spot) wording {
	line := f.code(f.pos(at.start).Line)
	name, rest, isArgument := strings.Cut(string(f.text[f.lines[f.pos(at.start).Line-1]:at.start]), "=")
	name = strings.TrimSpace(name)
	value := ""
	if _, v, ok := strings.Cut(line, "="); ok {
		value = strings.TrimSpace(v)
	}
	switch {
	case word == "" && isArgument && strings.TrimSpace(rest) == "":
		at.start = f.endOfText(at.start)
		at.end = at.start + 1
		return wording{name + " has no value", fmt.Sprintf("Write %s = VALUE, or take the line out.", name)}
	case word == "":
		at.start = f.endOfText(at.start)
		at.end = at.start + 1
		return wording{"the value ends too early", "Something is missing at the end of this."}
	case word == "<" && strings.HasPrefix(value, "<<"):
		return wording{"invalid heredoc", "A heredoc begins with <<-EOT at the end of a line, and ends with EOT on a line of its own."}
	case word == "'" || word == "`" || word == "“" || word == "”":
		return strayCharacter(word)
	case isArgument && strings.TrimSpace(rest) == "" && bareWord.MatchString(value):
		return wording{"text without quotes", fmt.Sprintf("Text is quoted: %s = \"…\".", name)}
	}
	return wording{fmt.Sprintf("%s where a value belongs", word), "A value is text in quotes, a number, true or false, a list [ … ], an object { … }, a reference, or a function's call."}
}

// bareWord is a path, address or the like that somebody forgot to quote.
var bareWord = regexp.MustCompile(`^[/.~*@][\w./*~@:-]*$`)

// endOfText goes back over blanks to where the text before offset ends.
func (f *file) endOfText(offset int) int {
	return len(strings.TrimRight(string(f.text[:offset]), " \t\r\n"))
}

// quoteBefore tells whether a quote ends directly before at.
func (f *file) quoteBefore(at *spot) bool {
	return at.start > 0 && f.text[at.start-1] == '"' && at.start < len(f.text) && !bytes.ContainsRune([]byte(" \t\r\n,;}])"), rune(f.text[at.start]))
}

var quoteInString = wording{"a quote inside of a quoted string", `The string ends before this. Inside of an expression, text is put in single quotes: "body.country == 'CL'". Elsewhere a quote in a string is written \".`}

// overfull is about what follows the value of an attribute on its line.
func (f *file) overfull(word string, at *spot) wording {
	switch {
	case f.quoteBefore(at):
		return quoteInString
	case word == ",":
		return wording{"a comma between attributes", "Attributes stand on lines of their own, without commas."}
	case word == ":":
		return wording{"unexpected :", "Text with a colon in it is quoted, as all text is."}
	}
	return wording{"more on the line of an attribute", "An attribute ends at the end of its line: what follows needs a line of its own. Text with blanks in it is quoted."}
}

func strayCharacter(word string) wording {
	switch word {
	case "'":
		return wording{"single quotes", `Text is put in double quotes: "text". Inside of an expression, which is quoted itself, single quotes are right: "body.country == 'CL'".`}
	case "`":
		return wording{"backquotes", `Text is put in double quotes: "text". Text of several lines is written as a heredoc, <<-EOT.`}
	case ";":
		return wording{"a semicolon", "Attributes and blocks stand on lines of their own, without semicolons."}
	case "“", "”", "„", "‘", "’":
		return wording{"typographic quotes", `Text is put in straight quotes: "text". Word processors and chats turn them into ` + word + `.`}
	}
	return wording{fmt.Sprintf("unexpected %s", word), "This character has no meaning here. Text is quoted."}
}

func strayOperator(word string) wording {
	say := map[string]string{"&": "&&", "|": "||", "~": "!"}[word]
	if say != "" {
		return wording{"unknown operator " + word, fmt.Sprintf("At load, write %s. In an expression, which is quoted, and, or and not are words.", say)}
	}
	return wording{"unknown operator " + word, "At load there are + - * / % == != < > && || !. In an expression, which is quoted, there are more."}
}

// badEscape is about a backslash that begins no escape.
func (f *file) badEscape(at *spot) wording {
	word := at.source()
	if strings.HasPrefix(word, `\u`) || strings.HasPrefix(word, `\U`) {
		return wording{"invalid escape " + word, `A character by its number is written \u00e9, with four digits of 0-9 and a-f, or \U0001F389 with eight.`}
	}
	return wording{"invalid escape " + word, fmt.Sprintf(`In a quoted string a backslash itself is written \\: \%s. A heredoc, <<-EOT, takes text as it is.`, word)}
}

// code is line n without the comment that it may end with.
func (f *file) code(n int) string {
	text := f.line(n)
	all, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	for _, t := range all {
		if t.Type == hclsyntax.TokenComment {
			return strings.TrimRight(text[:t.Range.Start.Byte], " \t")
		}
	}
	return strings.TrimRight(text, " \t")
}

// noHeredocEnd is about a string or heredoc that runs to the end of the file.
func (f *file) noHeredocEnd(at *spot) wording {
	for n := f.pos(at.start).Line; n > 0; n-- {
		m := heredocMark.FindStringSubmatchIndex(f.line(n))
		if m == nil {
			continue
		}
		at.start, at.end = f.lines[n-1]+m[0], f.lines[n-1]+m[3]
		return wording{"heredoc without an end", fmt.Sprintf("It ends with a line that holds %s and nothing else.", f.line(n)[m[2]:m[3]])}
	}
	return wordings[openString]
}

var heredocMark = regexp.MustCompile(`<<-?([\w-]+)[ \t]*$`)

// openQuote is the stretch of the string that is open at the end of the line
// around offset.
func (f *file) openQuote(offset int) (start, end int) {
	n := f.pos(offset).Line
	text := f.line(n)
	all, _ := hclsyntax.LexConfig([]byte(text), "", hcl.InitialPos)
	var open []int
	for _, t := range all {
		switch t.Type {
		case hclsyntax.TokenOQuote:
			open = append(open, t.Range.Start.Byte)
		case hclsyntax.TokenCQuote:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return offset, offset + 1
	}
	return f.lines[n-1] + open[0], f.lines[n-1] + len(text)
}
