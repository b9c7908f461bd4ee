package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/rules"
)

// SARIF writes a log in the Static Analysis Results Interchange Format 2.1.0
// (OASIS, sections named below), one run with one result for each finding. It
// writes as it goes, so that its memory does not grow with the findings. The
// zero value is not ready: use NewSARIF.
type SARIF struct {
	w      io.Writer
	index  map[string]int
	keyID  string
	first  bool
	failed []sarifNotification
}

type sarifText struct {
	Text string `json:"text"`
}

// sarifRule is a reportingDescriptor (§3.49).
type sarifRule struct {
	ID         string            `json:"id"`
	Short      sarifText         `json:"shortDescription"`
	Help       *sarifText        `json:"help,omitempty"`
	Default    map[string]string `json:"defaultConfiguration"`
	Properties map[string]any    `json:"properties"`
}

// sarifResult is a result (§3.27).
type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
	Properties   map[string]any    `json:"properties"`
}

// sarifLocation is a location with its physicalLocation (§3.28, §3.29).
type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
}

// sarifRegion is a region (§3.30): from 1, endColumn behind the last character.
type sarifRegion struct {
	StartLine   int64 `json:"startLine"`
	StartColumn int64 `json:"startColumn"`
	EndColumn   int64 `json:"endColumn"`
}

// sarifNotification is a notification (§3.58): a file that could not be read.
type sarifNotification struct {
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

// NewSARIF begins a log. keyID names the key of the fingerprints; it is empty
// when the key is not kept, and fingerprints are left out since no other run
// could compare them.
func NewSARIF(w io.Writer, set *rules.Set, version, keyID string) (*SARIF, error) {
	s := &SARIF{w: w, index: map[string]int{}, keyID: keyID, first: true}
	described := []sarifRule{}
	for i := range set.Rules {
		if r := &set.Rules[i]; r.Role == rules.RoleSecret {
			s.index[r.ID] = len(described)
			described = append(described, describe(r))
		}
	}
	driver, err := encode(map[string]any{
		"name": "leakveil", "version": version, "informationUri": "https://github.com/leakveil/leakveil", "rules": described,
	})
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(w, `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{`+
		`"tool":{"driver":%s},"columnKind":"unicodeCodePoints","results":[`, driver)
	return s, err
}

func describe(r *rules.Rule) sarifRule {
	out := sarifRule{
		ID: r.ID, Short: sarifText{r.Description},
		Default: map[string]string{"level": level(r.Severity)},
		Properties: map[string]any{
			"tags": []string{"security", "secret", "oauth"}, "kind": r.Kind, "severity": r.Severity,
			"security-severity": securitySeverity[r.Severity],
		},
	}
	if len(r.References) > 0 {
		out.Help = &sarifText{"See " + strings.Join(r.References, ", ") + "."}
	}
	return out
}

// level maps severities to SARIF's (§3.27.10).
func level(s rules.Severity) string {
	switch s {
	case rules.Critical, rules.High:
		return "error"
	case rules.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is the middle of the ranges by which code hosts sort results:
// critical from 9.0, high from 7.0, medium from 4.0.
var securitySeverity = map[rules.Severity]string{
	rules.Critical: "9.5", rules.High: "8.0", rules.Medium: "5.5", rules.Low: "2.5", rules.Info: "1.0",
}

// Add writes a finding.
func (s *SARIF) Add(f Finding) error {
	clients := f.Client.Candidates
	if clients == nil {
		clients = []string{}
	}
	result := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: s.index[f.Rule.ID], Level: level(f.Rule.Severity),
		Message:   sarifText{message(f)},
		Locations: []sarifLocation{at(f.Path, &sarifRegion{StartLine: f.Line + 1, StartColumn: f.Column, EndColumn: f.EndColumn})},
		Properties: map[string]any{
			"kind": f.Kind, "confidence": f.Confidence,
			"clientId": f.Client.ID, "clientHow": f.Client.How, "clients": clients,
		},
	}
	if s.keyID != "" {
		result.Fingerprints = map[string]string{"leakveil/" + s.keyID + "/v1": string(f.Fingerprint[:])}
	}
	text, err := encode(result)
	if err != nil {
		return err
	}
	if !s.first {
		text = append([]byte(","), text...)
	}
	s.first = false
	_, err = s.w.Write(text)
	return err
}

func message(f Finding) string {
	whose := "which client it belongs to is not known"
	switch {
	case f.Client.ID != "":
		whose = fmt.Sprintf("it belongs to client %s (%s)", f.Client.ID, f.Client.How)
	case f.Client.How == event.Ambiguous:
		whose = "it belongs to one of the clients " + strings.Join(f.Client.Candidates, ", ")
	}
	return fmt.Sprintf("%s (%s): %s. %s", f.Kind, f.Confidence, whose, f.Rule.Description)
}

// Failed notes a file that could not be read or scanned.
func (s *SARIF) Failed(path string, err error) {
	s.failed = append(s.failed, sarifNotification{
		Level: "error", Message: sarifText{err.Error()}, Locations: []sarifLocation{at(path, nil)},
	})
}

// Close ends the log. It does not close the writer.
func (s *SARIF) Close() error {
	invocation := map[string]any{"executionSuccessful": len(s.failed) == 0}
	if len(s.failed) > 0 {
		invocation["toolExecutionNotifications"] = s.failed
	}
	text, err := encode([]any{invocation})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.w, "],\"invocations\":%s}]}\n", text)
	return err
}

func at(path string, region *sarifRegion) sarifLocation {
	var l sarifLocation
	l.Physical.Artifact.URI = uri(path)
	l.Physical.Region = region
	return l
}

// uri is a path as a URI reference (RFC 3986): relative paths stay relative.
func uri(path string) string {
	if path == "-" {
		return "stdin"
	}
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

// encode is JSON without a newline at its end, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("sarif: %w", err)
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}
