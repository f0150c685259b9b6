package main

import (
	"regexp"
	"strings"
)

// This file turns the header's descriptions, in a small part of
// reStructuredText, into Go doc comments.

var (
	helperRef = regexp.MustCompile(`\*\*bpf_(\w+)\*\*\\ \(\)`)
	bold      = regexp.MustCompile(`\*\*(.+?)\*\*`)
	emphasis  = regexp.MustCompile(`\*([A-Za-z_\\][^*\s]*)\*`)
	code      = regexp.MustCompile("``(.+?)``")
	constWord = regexp.MustCompile(`\b(?:BPF|XDP|BTF|SK|TCX)_\w+\b`)
	termLine  = regexp.MustCompile(`^\*\*[^*]+\*\*( *[\\(].*)?$`)
)

// A docWriter renders the text of one helper.
type docWriter struct {
	helpers map[string]bool   // names of helpers, to link to
	consts  map[string]string // Go name by C name
	params  map[string]string // Go name by C name
	lines   []string
}

// inline renders the markup inside a line.
func (w *docWriter) inline(s string) string {
	s = helperRef.ReplaceAllStringFunc(s, func(m string) string {
		name := helperRef.FindStringSubmatch(m)[1]
		if w.helpers[name] {
			return "[" + goName(name) + "]"
		}
		return "bpf_" + name + "()"
	})
	s = code.ReplaceAllString(s, "$1")
	s = bold.ReplaceAllString(s, "$1")
	s = emphasis.ReplaceAllStringFunc(s, func(m string) string {
		name := strings.Trim(m, "*")
		if p, ok := w.params[name]; ok {
			return p
		}
		return name
	})
	s = constWord.ReplaceAllStringFunc(s, func(m string) string {
		if g, ok := w.consts[m]; ok {
			return g
		}
		return m
	})
	s = strings.ReplaceAll(s, "**", "") // of bold text that goes over a line end
	s = strings.ReplaceAll(s, `\ `, "")
	return strings.ReplaceAll(s, `\`, "")
}

// text renders a section of the header. A Go doc comment knows paragraphs, one
// level of lists and preformatted blocks; so definition lists become lists with
// the term in front, and lists are flattened.
func (w *docWriter) text(lines []string) {
	literal := -1 // indent of the line that opened a preformatted block
	item := -1    // indent of the list item that lines continue
	for i, l := range lines {
		trimmed := strings.TrimSpace(l)
		indent := indentOf(l)
		switch {
		case trimmed == "":
			w.lines = append(w.lines, "")
		case literal >= 0 && indent > literal:
			w.lines = append(w.lines, "\t"+strings.TrimSuffix(l[literal:], " "))
		case strings.HasSuffix(trimmed, "::"):
			literal, item = indent, -1
			if t := strings.TrimSpace(strings.TrimSuffix(trimmed, "::")); t != "" {
				w.lines = append(w.lines, w.inline(t)+":")
			}
		case strings.HasPrefix(trimmed, "* "):
			literal, item = -1, indent
			w.lines = append(w.lines, "  - "+w.inline(strings.TrimSpace(trimmed[2:])))
		case termLine.MatchString(trimmed) && i+1 < len(lines) && lines[i+1] != "" && indentOf(lines[i+1]) > indent:
			literal, item = -1, indent
			w.lines = append(w.lines, "  - "+w.inline(trimmed)+":")
		case item >= 0 && indent > item:
			w.lines = append(w.lines, "    "+w.inline(trimmed))
		default:
			if item >= 0 {
				w.lines = append(w.lines, "")
			}
			literal, item = -1, -1
			w.lines = append(w.lines, w.inline(trimmed))
		}
	}
}

// comment returns the lines as a Go comment, runs of empty lines made one.
func (w *docWriter) comment() string {
	var b strings.Builder
	empty := true
	for _, l := range w.lines {
		if l == "" {
			if !empty {
				b.WriteString("//\n")
			}
			empty = true
			continue
		}
		empty = false
		if strings.HasPrefix(l, "\t") {
			b.WriteString("//" + l + "\n")
		} else {
			b.WriteString("// " + l + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "//\n")
}
