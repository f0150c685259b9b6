package ir

import (
	"fmt"
	"strconv"
)

// A tokKind is the kind of a token of the text form.
type tokKind uint8

const (
	tokEOL   tokKind = iota // end of the line
	tokWord                 // a name, keyword or operation
	tokName                 // @name or @"name"; text is the name alone
	tokNum                  // an integer, perhaps signed
	tokStr                  // a quoted string; text is its value
	tokPunct                // one of ( ) { } , : = !
)

// A token is a piece of a line.
type token struct {
	kind tokKind
	text string
}

func (t token) String() string {
	switch t.kind {
	case tokEOL:
		return "end of line"
	case tokName:
		return "@" + quoteName(t.text)
	case tokStr:
		return strconv.Quote(t.text)
	}
	return "'" + t.text + "'"
}

// lexLine splits a line into tokens. A comment reaches from // to its end.
func lexLine(s string) ([]token, error) {
	var toks []token
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '/' && i+1 < len(s) && s[i+1] == '/':
			return toks, nil
		case isDigit(c) || (c == '+' || c == '-') && i+1 < len(s) && isDigit(s[i+1]):
			for i++; i < len(s) && isDigit(s[i]); i++ {
			}
			toks = append(toks, token{tokNum, s[start:i]})
		case isNameByte(c):
			for i < len(s) && isNameByte(s[i]) {
				i++
			}
			toks = append(toks, token{tokWord, s[start:i]})
		case c == '"' || c == '@' && i+1 < len(s) && s[i+1] == '"':
			kind := tokStr
			if c == '@' {
				kind = tokName
				i++
			}
			quoted, err := strconv.QuotedPrefix(s[i:])
			if err != nil {
				return nil, fmt.Errorf("unfinished string")
			}
			i += len(quoted)
			text, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("malformed string %s", quoted)
			}
			toks = append(toks, token{kind, text})
		case c == '@':
			for i++; i < len(s) && isNameByte(s[i]); i++ {
			}
			if i == start+1 {
				return nil, fmt.Errorf("@ without a name")
			}
			toks = append(toks, token{tokName, s[start+1 : i]})
		case c == '(' || c == ')' || c == '{' || c == '}' || c == ',' || c == ':' || c == '=' || c == '!':
			i++
			toks = append(toks, token{tokPunct, s[start:i]})
		default:
			return nil, fmt.Errorf("unexpected character %q", c)
		}
	}
	return toks, nil
}
