package scan

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/leakveil/leakveil/internal/event"
)

// WriteText writes a finding as one line: path:line:column kind rule confidence
// client. Line and column count from 1. The client is - when it is unknown, and
// ambiguous(a,b) when several are named.
func WriteText(w io.Writer, f Finding) error {
	_, err := fmt.Fprintf(w, "%s:%d:%d %s %s %s %s\n",
		shownPath(f.Path), f.Line+1, f.Column, f.Kind, f.Rule.ID, f.Confidence, shownClient(f.Client))
	return err
}

// shownPath quotes names that would break the line or the terminal.
func shownPath(path string) string {
	if strings.ContainsFunc(path, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) {
		return strconv.Quote(path)
	}
	return path
}

func shownClient(c event.Client) string {
	switch {
	case c.ID != "":
		return c.ID
	case c.How == event.Ambiguous:
		return "ambiguous(" + strings.Join(c.Candidates, ",") + ")"
	}
	return "-"
}
