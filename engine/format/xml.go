package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// decodeXML reads a document into an object that holds the root element by its
// name. An element is its text, when it has no attributes and no children; else
// an object: children by name, attributes as "@name", text beside them as
// "#text". A name that comes more than once has a list. Names are local ones,
// without namespace. Document types are skipped and no entity beyond XML's five
// is known, so that nothing is expanded or fetched.
func decodeXML(raw []byte, charset string) (any, error) {
	text := bytes.TrimPrefix(raw, []byte("\ufeff"))
	if charset != "" {
		var err error
		if text, err = toUTF8(raw, charset); err != nil {
			return nil, err
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(text))
	dec.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if charset != "" { // RFC 7303: the Content-Type decides, and has been obeyed
			return in, nil
		}
		return charsetReader(name, in)
	}
	root, err := readRoot(dec)
	if err != nil {
		return nil, xmlError(text, dec, err)
	}
	return root, nil
}

func charsetReader(name string, in io.Reader) (io.Reader, error) {
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	text, err := toUTF8(raw, name)
	if err != nil {
		return nil, err
	}
	return bytes.NewReader(text), nil
}

func readRoot(dec *xml.Decoder) (map[string]any, error) {
	var root map[string]any
	for {
		tok, err := dec.Token()
		switch {
		case err == io.EOF && root != nil:
			return root, nil
		case err == io.EOF:
			return nil, errors.New("no element in it")
		case err != nil:
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if root != nil {
				return nil, errors.New("a second root element")
			}
			v, err := readElement(dec, tok, 1)
			if err != nil {
				return nil, err
			}
			root = map[string]any{tok.Name.Local: v}
		case xml.CharData:
			if len(bytes.TrimSpace(tok)) > 0 {
				return nil, errors.New("text outside of the root element")
			}
		}
	}
}

func readElement(dec *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested deeper than 200")
	}
	fields := attributes(start)
	var text strings.Builder
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			child, err := readElement(dec, tok, depth+1)
			if err != nil {
				return nil, err
			}
			add(fields, tok.Name.Local, child)
		case xml.EndElement:
			return element(fields, text.String()), nil
		}
	}
}

func element(fields map[string]any, text string) any {
	if len(fields) == 0 {
		return text
	}
	if strings.TrimSpace(text) != "" {
		fields["#text"] = text
	}
	return fields
}

// attributes leaves out what only declares namespaces.
func attributes(start xml.StartElement) map[string]any {
	fields := map[string]any{}
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		add(fields, "@"+a.Name.Local, a.Value)
	}
	return fields
}

func xmlError(text []byte, dec *xml.Decoder, err error) error {
	var charset *CharsetError
	if errors.As(err, &charset) {
		return charset
	}
	var fault *xml.SyntaxError
	if errors.As(err, &fault) {
		return syntaxError(text, int(dec.InputOffset()), "%s", fault.Msg)
	}
	return syntaxError(text, int(dec.InputOffset()), "%s", err)
}
