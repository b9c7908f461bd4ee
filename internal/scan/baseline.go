package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leakveil/leakveil/redact"
)

// Baseline is a set of findings that are known: each a keyed fingerprint with its
// rule and file. It holds no value; without the key nothing can be compared with it.
type Baseline struct {
	keyID, proof string
	known        map[known]bool
}

// known is one entry of the file.
type known struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	File        string `json:"file"` // as it was named, with slashes; - is standard input
}

// baselineFile is the form of the file, version 1.
type baselineFile struct {
	Version  int     `json:"leakveil_baseline"`
	KeyID    string  `json:"key_id"`
	KeyProof string  `json:"key_proof"` // fingerprint of proven: the id may be given, not made
	Findings []known `json:"findings"`
}

const (
	baselineVersion = 1
	proven          = "leakveil baseline"
	maxBaseline     = 256 << 20 // bytes of the file
)

// NewBaseline returns an empty baseline of the key.
func NewBaseline(key redact.Key) *Baseline {
	proof := redact.NewFingerprinter(key).Of([]byte(proven))
	return &Baseline{keyID: key.ID(), proof: string(proof[:]), known: map[known]bool{}}
}

// ReadBaseline reads a file that Write wrote with the same key. Another key is an
// error, since then no finding would be known.
func ReadBaseline(path string, key redact.Key) (*Baseline, error) {
	b := NewBaseline(key)
	file, err := readBaseline(path)
	if err != nil {
		return nil, err
	}
	switch {
	case file.KeyID != b.keyID:
		return nil, fmt.Errorf("%s: was made with key %s, and this run's key is %s: give the key file that it was made with", path, file.KeyID, b.keyID)
	case file.KeyProof != b.proof:
		return nil, fmt.Errorf("%s: was made with another key of the same id %s: give the key file that it was made with", path, b.keyID)
	}
	for i, k := range file.Findings {
		if len(k.Fingerprint) != len(redact.Fingerprint{}) || k.Rule == "" || k.File == "" {
			return nil, fmt.Errorf("%s: finding %d: want fingerprint, rule and file", path, i+1)
		}
		b.known[k] = true
	}
	return b, nil
}

func readBaseline(path string) (*baselineFile, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxBaseline+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBaseline {
		return nil, fmt.Errorf("%s: longer than %d bytes: is it a baseline?", path, maxBaseline)
	}
	var file baselineFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	// What the decoder says may quote the file, which may be anything.
	if err := dec.Decode(&file); err != nil || file.Version == 0 {
		return nil, fmt.Errorf("%s: is not a baseline, as scan --write-baseline writes it (byte %d)", path, dec.InputOffset())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: something stands behind the baseline (byte %d)", path, dec.InputOffset())
	}
	if file.Version != baselineVersion {
		return nil, fmt.Errorf("%s: version %d, and this leakveil reads version %d", path, file.Version, baselineVersion)
	}
	return &file, nil
}

func knownOf(f Finding) known {
	path := f.Path
	if path != "-" {
		path = filepath.ToSlash(filepath.Clean(path))
	}
	return known{string(f.Fingerprint[:]), f.Rule.ID, path}
}

// Has reports whether a finding is known.
func (b *Baseline) Has(f Finding) bool { return b.known[knownOf(f)] }

// Add makes a finding known.
func (b *Baseline) Add(f Finding) { b.known[knownOf(f)] = true }

// Len is the number of known findings; the same value in one file counts once a rule.
func (b *Baseline) Len() int { return len(b.known) }

// CanWrite reports whether path is free, or a baseline that may be replaced. Any
// other file (a log, a key) stays.
func CanWrite(path string) error {
	_, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = readBaseline(path)
	}
	return err
}

// Write replaces the file at path as a whole, sorted, readable by its owner alone.
func (b *Baseline) Write(path string) (err error) {
	all := make([]known, 0, len(b.known))
	for k := range b.known {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b known) int {
		return strings.Compare(a.File+"\x00"+a.Rule+"\x00"+a.Fingerprint, b.File+"\x00"+b.Rule+"\x00"+b.Fingerprint)
	})
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(baselineFile{baselineVersion, b.keyID, b.proof, all}); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".leakveil-baseline-*") // 0600
	if err != nil {
		return err
	}
	_, err = out.Write(text.Bytes())
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}
