// Package htmlreport makes the pages that people look at, of recorded runs: each one
// file of HTML that asks for nothing else. Its text is escaped by html/template, its
// pictures are SVG in the page, and a Content-Security-Policy allows only the page's
// own style and script. Without the script everything is there, unsorted.
package htmlreport

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed assets
var assets embed.FS

// Texts says a text of these pages in a language. The format is in English and as
// package fmt takes it: it is the key of a translation.
type Texts interface {
	Say(format string, args ...any) string
}

// English says texts as they stand in the source.
type English struct{}

// Say is fmt.Sprintf.
func (English) Say(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// document is what every page has.
type document struct {
	Lang, Title   string
	Style, Script string
	// Policy is the page's Content-Security-Policy.
	Policy string
	// Home is the way back to a server's list; empty on that, and without a server.
	Home string
	Body any
}

// top is the home of a server's list itself, which has no way back.
const top = "."

// write fills the template of that name into the page. home is empty without a server.
func write(w io.Writer, texts Texts, name, title, home string, body any) error {
	style, err := assets.ReadFile("assets/page.css")
	if err != nil {
		return err
	}
	script, err := assets.ReadFile("assets/page.js")
	if err != nil {
		return err
	}
	t, err := template.New("page.html").Funcs(functions(texts)).ParseFS(assets, "assets/page.html", "assets/parts.html", "assets/filter.html", "assets/"+name)
	if err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	connect := "'none'"
	if home != "" {
		connect = "'self'" // the page of a run that goes on hears of it
	}
	return t.Execute(w, document{
		Lang: "en", Title: title, Style: string(style), Script: string(script), Home: strings.TrimPrefix(home, top), Body: body,
		Policy: fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src data:; connect-src %s; base-uri 'none'; form-action %s",
			hash(style), hash(script), connect, connect),
	})
}

// hash names a source by its SHA-256, as a policy wants it.
func hash(source []byte) string {
	sum := sha256.Sum256(source)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func functions(texts Texts) template.FuncMap {
	return template.FuncMap{
		"t":   texts.Say,
		"css": func(s string) template.CSS { return template.CSS(s) }, // ours, from assets
		"js":  func(s string) template.JS { return template.JS(s) },
	}
}
