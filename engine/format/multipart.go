package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	"github.com/syncd/syncd/engine/message"
)

// maxParts bounds a multipart form.
const maxParts = 1000

// DecodeMultipart takes a multipart/form-data body (RFC 7578) apart: into an object of its
// fields, as of other forms, of which one that came as JSON is what that says, and the list
// of its files, as package message has attachments, each with field, the name of its field.
// A file field that was left empty is none.
func DecodeMultipart(contentType string, raw []byte) (fields map[string]any, files []any, err error) {
	_, params := mediaType(contentType)
	return decodeMultipart(raw, params["boundary"], true)
}

func decodeMultipart(raw []byte, boundary string, withFiles bool) (fields map[string]any, files []any, err error) {
	if boundary == "" {
		return nil, nil, errors.New("a multipart body without a boundary in its Content-Type")
	}
	fields, files = map[string]any{}, []any{}
	r := multipart.NewReader(bytes.NewReader(raw), boundary)
	for place := 1; ; place++ {
		part, err := r.NextPart()
		switch {
		case err == io.EOF && bytes.Contains(raw, []byte("--"+boundary+"--")): // within a header, too, multipart says EOF
			return fields, files, nil
		case err == nil && place > maxParts:
			err = fmt.Errorf("more than %d parts", maxParts)
		}
		if err == nil {
			err = takePart(part, place, fields, &files, withFiles)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("part %d of the multipart body: %s", place, fault(err))
		}
	}
}

// fault is what is wrong with a part. It is no *SyntaxError: that would tell a place within
// the part for one within the body.
func fault(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body ends before its last boundary"
	}
	return err.Error()
}

// takePart reads one part to its end, and keeps of a file only what is wanted.
func takePart(part *multipart.Part, place int, fields map[string]any, files *[]any, withFiles bool) error {
	_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := disposition["name"]
	_, isFile := disposition["filename"]
	typ, params := mediaType(part.Header.Get("Content-Type"))
	if isFile || typ != "" && Of(typ) == Binary {
		if !withFiles {
			_, err := io.Copy(io.Discard, part)
			return err
		}
		body, err := io.ReadAll(part)
		if err != nil || isFile && part.FileName() == "" && len(body) == 0 {
			return err
		}
		if typ == "" {
			typ = "application/octet-stream"
		}
		file := message.Attachment(part.FileName(), place, typ, params["charset"], body)
		file["field"] = name
		*files = append(*files, file)
		return nil
	}
	if name == "" {
		return errors.New("a field without a name")
	}
	body, err := io.ReadAll(part)
	if err != nil {
		return err
	}
	var v any
	if Of(typ) == JSON {
		v, err = DecodeJSON(body)
	} else {
		v, err = decodeText(body, params["charset"])
	}
	if err != nil {
		return fmt.Errorf("field %q: %w", name, err)
	}
	add(fields, name, v)
	return nil
}
