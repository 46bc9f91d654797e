// Package page lays out what is printed of runs: headings, lines, lists and
// aligned tables, as text for a terminal or as Markdown.
package page

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Page is what the text and Markdown forms have in common: they differ in how
// a heading, a line and a table look, not in what is said.
type Page struct {
	Markdown bool

	out bytes.Buffer
}

// Heading begins a section.
func (p *Page) Heading(format string, args ...any) {
	if p.Markdown {
		p.out.WriteString("## ")
	}
	p.Paragraph(format, args...)
}

// Paragraph writes text with a line left free after it.
func (p *Page) Paragraph(format string, args ...any) {
	p.out.WriteString(p.plain(fmt.Sprintf(format, args...)))
	p.out.WriteString("\n\n")
}

// List prints one line per item, and nothing for none.
func (p *Page) List(items []string) {
	for _, item := range items {
		if p.Markdown {
			p.out.WriteString("- ")
		} else {
			p.out.WriteString("  ")
		}
		p.out.WriteString(p.plain(item) + "\n")
	}
	if len(items) > 0 {
		p.out.WriteByte('\n')
	}
}

// plain keeps what tools and clusters said from breaking out of its line, out
// of a Markdown cell, or into a terminal's control sequences.
func (p *Page) plain(s string) string {
	s = Line(s)
	if p.Markdown {
		// A backslash before a bar would free it again; brackets make links and images.
		s = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "`", "'", "[", `\[`, "]", `\]`).Replace(s)
	}
	return s
}

// Line is what a tool or a cluster said, as one line that can't control a terminal,
// nor turn round the order in which it shows what follows.
func Line(said string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, said)
}

// Lines is Line for a text of several lines, which stay.
func Lines(said string) string {
	parts := strings.Split(said, "\n")
	for i, part := range parts {
		words := strings.Split(part, "\t")
		for j, w := range words {
			words[j] = Line(w)
		}
		parts[i] = strings.Join(words, "\t")
	}
	return strings.Join(parts, "\n")
}

// Table aligns its columns: align has one of l, r per column. It prints nothing
// without rows.
func (p *Page) Table(align string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	all := [][]string{header}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = p.plain(cell)
		}
		all = append(all, cells)
	}
	width := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	start, between, end := "  ", "  ", ""
	if p.Markdown {
		start, between, end = "| ", " | ", " |"
		rule := make([]string, len(header))
		for i, w := range width {
			rule[i] = strings.Repeat("-", max(w-1, 2)) + map[byte]string{'l': "-", 'r': ":"}[align[i]]
			width[i] = max(w, 3)
		}
		all = slices.Insert(all, 1, rule)
	}
	for _, row := range all {
		cells := make([]string, len(row))
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if align[i] == 'r' {
				cells[i] = pad + cell
			} else {
				cells[i] = cell + pad
			}
		}
		p.out.WriteString(strings.TrimRight(start+strings.Join(cells, between)+end, " ") + "\n")
	}
	p.out.WriteByte('\n')
}

// To writes the page so far, ending in one line's end. Its error is w's.
func (p *Page) To(w io.Writer) error {
	_, err := w.Write(append(bytes.TrimRight(p.out.Bytes(), "\n"), '\n'))
	return err
}
