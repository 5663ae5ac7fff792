package format

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// What a workbook may unpack to. Its texts are held in memory; a sheet is read as a
// stream. Sheets of much the same rows do shrink to a hundredth.
const (
	maxTexts  = 64 << 20
	maxSheet  = 4 << 30
	bombRatio = 250
	bombSize  = 100 << 20
)

// workbook is an opened file of ECMA-376 (SpreadsheetML).
type workbook struct {
	files    map[string]*zip.File
	sheets   []sheetRef
	texts    []string       // that cells share
	styles   map[int]string // how numbers are shown: "date", "time", "datetime"
	from1904 bool
}

type sheetRef struct{ name, part string }

func openWorkbook(r io.ReaderAt, size int64) (*workbook, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("this is no xlsx file: %w", err)
	}
	b := &workbook{files: map[string]*zip.File{}, styles: map[int]string{}}
	for _, f := range z.File {
		b.files[strings.TrimPrefix(f.Name, "/")] = f
	}
	if b.files["xl/workbook.xml"] == nil {
		return nil, errors.New("this is no xlsx file: it has no xl/workbook.xml; one of Excel 97 (.xls) or a protected one has to be saved anew")
	}
	for _, read := range []func() error{b.readSheets, b.readTexts, b.readStyles} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// open gives a part as a stream that ends with an error where it is a bomb.
func (b *workbook) open(name string, limit int64) (io.ReadCloser, error) {
	f := b.files[name]
	if f == nil {
		return nil, fmt.Errorf("%s is missing", name)
	}
	in, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return &unpacked{ReadCloser: in, name: name, limit: limit, packed: int64(f.CompressedSize64)}, nil //nolint:gosec // no larger than the file
}

// unpacked is what comes out of an archive, within limits.
type unpacked struct {
	io.ReadCloser
	name             string
	n, limit, packed int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	u.n += int64(n)
	switch {
	case u.n > u.limit:
		return 0, fmt.Errorf("%s unpacks to more than %d MiB", u.name, u.limit>>20)
	case u.n > bombSize && u.n/bombRatio > u.packed:
		return 0, fmt.Errorf("%s unpacks to more than %d times its size: this looks like a bomb", u.name, bombRatio)
	}
	return n, err
}

// elements calls do for each element of a part that is held in memory.
func (b *workbook) elements(part string, do func(dec *xml.Decoder, start xml.StartElement) error) error {
	in, err := b.open(part, maxTexts)
	if err != nil {
		return err
	}
	defer in.Close()
	dec := xml.NewDecoder(in)
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			if start, ok := tok.(xml.StartElement); ok {
				err = do(dec, start)
			}
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", part, err)
		}
	}
}

func (b *workbook) readSheets() error {
	parts := map[string]string{} // by relation
	if err := b.elements("xl/_rels/workbook.xml.rels", func(_ *xml.Decoder, e xml.StartElement) error {
		target := attr(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/xl", target)
		}
		parts[attr(e, "Id")] = strings.TrimPrefix(target, "/")
		return nil
	}); err != nil {
		return err
	}
	return b.elements("xl/workbook.xml", func(_ *xml.Decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			on := attr(e, "date1904")
			b.from1904 = on == "1" || on == "true"
		case "sheet":
			for _, a := range e.Attr {
				if a.Name.Local == "id" && a.Name.Space != "" {
					b.sheets = append(b.sheets, sheetRef{attr(e, "name"), parts[a.Value]})
				}
			}
		}
		return nil
	})
}

func (b *workbook) readTexts() error {
	const part = "xl/sharedStrings.xml"
	if b.files[part] == nil {
		return nil
	}
	return b.elements(part, func(dec *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := richText(dec)
		b.texts = append(b.texts, text)
		return err
	})
}

func (b *workbook) readStyles() error {
	const part = "xl/styles.xml"
	if b.files[part] == nil {
		return nil
	}
	own := map[int]string{}
	inside, n := false, 0
	return b.elements(part, func(_ *xml.Decoder, e xml.StartElement) error {
		id, _ := strconv.Atoi(attr(e, "numFmtId"))
		switch e.Name.Local {
		case "numFmt":
			own[id] = dateShape(attr(e, "formatCode"))
		case "cellXfs":
			inside = true
		case "cellStyles", "dxfs":
			inside = false
		case "xf":
			if !inside {
				return nil
			}
			shape, ok := own[id]
			if !ok {
				shape = builtin(id)
			}
			if shape != "" {
				b.styles[n] = shape
			}
			n++
		}
		return nil
	})
}

// builtin is the shape of a number format that every workbook has (18.8.30).
func builtin(id int) string {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id >= 50 && id <= 54, id == 36, id == 57, id == 58:
		return "date"
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47, id == 55, id == 56:
		return "time"
	case id == 22:
		return "datetime"
	}
	return ""
}

// dateShape tells what a number format shows of a date: "" if it shows none.
func dateShape(code string) string {
	code, _, _ = strings.Cut(code, ";")
	var day, hour bool
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"', '[':
			closing := byte('"')
			if code[i] == '[' {
				closing = ']'
			}
			end := strings.IndexByte(code[i+1:], closing)
			if end < 0 {
				return ""
			}
			if inside := strings.ToLower(code[i+1 : i+1+end]); closing == ']' && strings.Trim(inside, "hms") == "" && inside != "" {
				hour = true
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case 'y', 'Y', 'd', 'D':
			day = true
		case 'h', 'H', 's', 'S':
			hour = true
		case 'G', 'g', 'E', 'e', '0', '#', '?':
			if !day && !hour && code[i] != 'g' && code[i] != 'e' {
				return ""
			}
		}
	}
	switch {
	case day && hour:
		return "datetime"
	case day:
		return "date"
	case hour:
		return "time"
	}
	return ""
}

// sheet opens the sheet of a name, or the first.
func (b *workbook) sheet(name string) (io.ReadCloser, error) {
	var names []string
	for _, s := range b.sheets {
		if name == "" || s.name == name {
			return b.open(s.part, maxSheet)
		}
		names = append(names, s.name)
	}
	if names == nil {
		return nil, errors.New("it has no sheet")
	}
	return nil, fmt.Errorf("no sheet is called %q; there are %s", name, some(names))
}

// plainText reads an element up to its end as text.
func plainText(dec *xml.Decoder) (string, error) {
	var text strings.Builder
	for {
		tok, err := dec.Token()
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			if err := dec.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return text.String(), nil
		}
	}
}

// richText reads an element up to its end: the texts in it, with or without runs,
// but not how they are pronounced.
func richText(dec *xml.Decoder) (string, error) {
	var text strings.Builder
	for {
		tok, err := dec.Token()
		if err != nil {
			return "", eofInside(err)
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return text.String(), nil
		case xml.StartElement:
			var part string
			switch tok.Name.Local {
			case "t":
				part, err = plainText(dec)
			case "r":
				part, err = richText(dec)
			default:
				err = dec.Skip()
			}
			if err != nil {
				return "", eofInside(err)
			}
			text.WriteString(part)
		}
	}
}
