package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// This file reads the helpers of bpf.h: their numbers from the enum's list
// macro and their prototypes and descriptions from the comment above it.

// A helper is one function the kernel offers to BPF programs.
type helper struct {
	id   int
	name string // as in the enum: without bpf_
	row  row    // from helpers.tsv

	prototype string  // as in the header
	result    string  // C type
	params    []param // C parameters, without void
	varied    bool    // the prototype ends in "..."

	signature string // of the Go function

	description []string // lines of the header's text, common indent removed
	returns     []string
}

// A param is a C parameter.
type param struct {
	ctype string // normalised: "const" dropped, one space, '*' attached to nothing
	name  string
}

var (
	mapperLine = regexp.MustCompile(`(?m)^\s*FN\((\w+), (\d+), ##ctx\)`)
	protoLine  = regexp.MustCompile(`^ \* ((?:const )?(?:struct )?\w+) (\*?)bpf_(\w+)\((.*)\)$`)
	paramForm  = regexp.MustCompile(`^(.*?[ *])(\w+)$`)
)

const (
	docStart = " * Start of BPF helper function descriptions:\n"
	docEnd   = "\n */"
)

// parseHelpers returns the helpers in the order of their numbers. Helper 0,
// unspec, is the enum's placeholder and not one of them.
func parseHelpers(text string) ([]*helper, error) {
	var helpers []*helper
	byName := make(map[string]*helper)
	for _, m := range mapperLine.FindAllStringSubmatch(text, -1) {
		id, err := strconv.Atoi(m[2])
		if err != nil {
			return nil, err
		}
		if m[1] == "unspec" {
			continue
		}
		h := &helper{id: id, name: m[1]}
		helpers = append(helpers, h)
		byName[h.name] = h
	}
	if len(helpers) == 0 {
		return nil, fmt.Errorf("bpf.h: no helper list found")
	}

	_, doc, ok := strings.Cut(text, docStart)
	if !ok {
		return nil, fmt.Errorf("bpf.h: no helper descriptions found")
	}
	doc, _, _ = strings.Cut(doc, docEnd)
	if err := parseDescriptions(doc, byName); err != nil {
		return nil, err
	}
	for _, h := range helpers {
		if h.result == "" {
			return nil, fmt.Errorf("bpf.h: helper %s has no description", h.name)
		}
	}
	return helpers, nil
}

// parseDescriptions reads the comment: a prototype line, then the indented
// sections Description and Return. Some helpers are described once per kind of
// context; then the first prototype and result count, and the descriptions are
// put together.
func parseDescriptions(doc string, byName map[string]*helper) error {
	var h *helper
	var section *[]string
	again := false // in the second or later description of a helper
	for _, line := range strings.Split(doc, "\n") {
		if m := protoLine.FindStringSubmatch(line); m != nil {
			h = byName[m[3]]
			if h == nil {
				return fmt.Errorf("bpf.h: description of %s, which is not in the list", m[3])
			}
			section = nil
			if h.result != "" {
				h.description = append(h.description, "")
				again = true
				continue
			}
			again = false
			h.prototype = strings.TrimPrefix(line, " * ")
			h.result = normaliseType(m[1] + m[2])
			if err := h.parseParams(m[4]); err != nil {
				return err
			}
			continue
		}
		body := expandTabs(strings.TrimPrefix(strings.TrimPrefix(line, " *"), " "))
		switch strings.TrimSpace(body) {
		case "Description":
			section = &h.description
		case "Return":
			section = &h.returns
			if again {
				section = nil
			}
		case "":
			if section != nil {
				*section = append(*section, "")
			}
		default:
			if section == nil {
				continue // the empty line before the first prototype
			}
			*section = append(*section, strings.TrimRight(body, " "))
		}
	}
	for _, h := range byName {
		h.description = outdent(h.description)
		h.returns = outdent(h.returns)
	}
	return nil
}

func (h *helper) parseParams(list string) error {
	if list == "void" {
		return nil
	}
	for p := range strings.SplitSeq(list, ", ") {
		if p == "..." {
			h.varied = true
			continue
		}
		m := paramForm.FindStringSubmatch(p)
		if m == nil {
			return fmt.Errorf("bpf.h: helper %s: cannot read parameter %q", h.name, p)
		}
		h.params = append(h.params, param{ctype: normaliseType(m[1]), name: m[2]})
	}
	return nil
}

func normaliseType(s string) string {
	s = strings.ReplaceAll(s, "const ", "")
	stars := strings.Count(s, "*")
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "*", "")), " ")
	return s + strings.Repeat("*", stars)
}

// expandTabs replaces tabs by spaces to columns of eight.
func expandTabs(s string) string {
	var b strings.Builder
	col := 0
	for _, r := range s {
		if r != '\t' {
			b.WriteRune(r)
			col++
			continue
		}
		for {
			b.WriteByte(' ')
			if col++; col%8 == 0 {
				break
			}
		}
	}
	return b.String()
}

// outdent removes the indent that all lines share, and empty lines at both ends.
func outdent(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	least := -1
	for _, l := range lines {
		if n := indentOf(l); l != "" && (least < 0 || n < least) {
			least = n
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if l != "" {
			out[i] = l[least:]
		}
	}
	return out
}

func indentOf(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
