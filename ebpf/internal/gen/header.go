package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// This file reads the helpers of bpf.h: their numbers from the enum's list
// macro and their prototypes from the comment above it.

// A helper is one function the kernel offers to BPF programs.
type helper struct {
	id   int
	name string // as in the enum: without bpf_
	row  row    // from helpers.tsv

	prototype string  // as in the header
	result    string  // C type
	params    []param // C parameters, without void
	varied    bool    // the prototype ends in "..."

	shape shape // from helpers.txt
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
	if err := parsePrototypes(doc, byName); err != nil {
		return nil, err
	}
	for _, h := range helpers {
		if h.result == "" {
			return nil, fmt.Errorf("bpf.h: helper %s has no prototype", h.name)
		}
	}
	return helpers, nil
}

// parsePrototypes reads the comment. Some helpers are described once per kind of
// context; then the first prototype counts.
func parsePrototypes(doc string, byName map[string]*helper) error {
	for line := range strings.SplitSeq(doc, "\n") {
		m := protoLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		h := byName[m[3]]
		if h == nil {
			return fmt.Errorf("bpf.h: description of %s, which is not in the list", m[3])
		}
		if h.result != "" {
			continue
		}
		h.prototype = strings.TrimPrefix(line, " * ")
		h.result = normaliseType(m[1] + m[2])
		if err := h.parseParams(m[4]); err != nil {
			return err
		}
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
