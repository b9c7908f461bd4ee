package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/measure"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// arenaBytes is what is scanned at once, as everywhere in leakveil.
const arenaBytes = 256 << 10

// memory measures the pipeline in this process: no file, no other goroutine.
type memory struct {
	database                *detect.Database
	first, portable, larger *pipeline.Worker // of the first engine, of the portable one, with more rules
	batch                   detect.Batch
	lines                   pipeline.Lines
	masked                  []byte
}

func newMemory(o options, work, keyFile string) (*memory, error) {
	key, err := redact.ReadKeyFile("", keyFile)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(work, "rules")
	if err := writeRules(folder, o.rules); err != nil {
		return nil, err
	}
	m := &memory{}
	for _, w := range []struct {
		to     **pipeline.Worker
		engine detect.Engine
		dirs   []string
	}{{&m.first, detect.Auto, nil}, {&m.portable, detect.Portable, nil}, {&m.larger, detect.Auto, []string{folder}}} {
		set, err := rules.Load(w.dirs, nil)
		if err != nil {
			return nil, err
		}
		db, err := detect.CompileWith(detect.Options{Engine: w.engine}, set)
		if err != nil {
			return nil, err
		}
		if m.database == nil {
			m.database = db
		}
		// Attribution is part of the work: whose a secret is, not only that it is one.
		if *w.to, err = pipeline.NewWorker(pipeline.Options{Database: db, Key: key, Attribute: true}); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *memory) close() {
	for _, w := range []*pipeline.Worker{m.first, m.portable, m.larger} {
		_ = w.Close() // at the end of the program
	}
}

// writeRules writes a folder of rules with one vendor's prefix each.
func writeRules(folder string, n int) error {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	rnd := rand.New(rand.NewPCG(1, 2))
	var out strings.Builder
	out.WriteString("pack: many\nrules:\n")
	for i := range n {
		prefix := make([]byte, 5)
		for j := range prefix {
			prefix[j] = letters[rnd.IntN(len(letters))]
		}
		fmt.Fprintf(&out, moreRule, i, fmt.Sprintf("%s%d_", prefix, i%10))
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "many.yaml"), []byte(out.String()), 0o600)
}

// arenas calls fn with text cut at line ends.
func arenas(text []byte, fn func(arena []byte) error) error {
	for len(text) > 0 {
		n := len(text)
		if n > arenaBytes {
			if n = bytes.LastIndexByte(text[:arenaBytes], '\n') + 1; n == 0 {
				n = arenaBytes
			}
		}
		if err := fn(text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// text masks a text in memory. out, unless nil, gets the masked parts.
func (m *memory) text(w *pipeline.Worker, text []byte, out func([]byte)) (found int64, err error) {
	var open detect.Open
	err = arenas(text, func(arena []byte) error {
		w.LinesBehind(&m.lines, arena, open)
		open = m.lines.Open
		found += int64(len(m.lines.Results))
		if m.lines.Withheld > 0 {
			return errors.New("lines were withheld")
		}
		if out != nil {
			for _, part := range m.lines.Parts {
				out(part)
			}
		}
		return nil
	})
	return found, err
}

// records gathers lines that were allocated one by one, and masks those that hold
// something. out, unless nil, gets each record's text.
func (m *memory) records(records [][]byte, out func([]byte)) (found int64, err error) {
	for len(records) > 0 {
		m.batch.Reset()
		n := 0
		for n < len(records) && (n == 0 || m.batch.Len()+len(records[n]) < arenaBytes) {
			m.batch.AddText(n, records[n])
			n++
		}
		results, err := m.first.Find(&m.batch)
		if err != nil {
			return found, err
		}
		found += int64(len(results))
		for i := range n {
			text := records[i]
			if len(results) > 0 && m.first.Found(i) {
				if m.masked, _, _, err = m.first.MaskSegment(m.masked[:0], i, false); err != nil {
					return found, err
				}
				text = m.masked
			}
			if out != nil {
				out(text)
			}
		}
		records = records[n:]
	}
	return found, nil
}

// separate are the lines of a text, each allocated on its own.
func separate(text []byte) (out [][]byte) {
	for line := range bytes.Lines(text) {
		out = append(out, bytes.Clone(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return out
}

// check proves that each way gives the output whose hash is known to be right.
func (m *memory) check(c *measure.Corpus, text, sum []byte) error {
	hash := sha256.New()
	write := func(b []byte) { hash.Write(b) }
	for _, way := range []struct {
		name string
		run  func() (int64, error)
	}{
		{"in memory", func() (int64, error) { return m.text(m.first, text, write) }},
		{"portable", func() (int64, error) { return m.text(m.portable, text, write) }},
		{"more rules", func() (int64, error) { return m.text(m.larger, text, write) }},
		{"records", func() (int64, error) {
			return m.records(separate(text), func(b []byte) { write(b); write([]byte{'\n'}) })
		}},
	} {
		hash.Reset()
		found, err := way.run()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", way.name, err)
		case found != c.Secrets:
			return fmt.Errorf("%s: found %d, planted %d", way.name, found, c.Secrets)
		case !bytes.Equal(hash.Sum(nil), sum):
			return fmt.Errorf("%s: the output is not that of leakveil redact", way.name)
		}
	}
	return nil
}

// round measures each way once. lines are the text's, allocated one by one. Garbage of
// others is collected before, so that no way pays for it.
func (m *memory) round(text []byte, lines [][]byte, f *figures) error {
	for _, way := range []struct {
		series series
		run    func() error
	}{
		{inMemory, func() error { _, err := m.text(m.first, text, nil); return err }},
		{withPortable, func() error { _, err := m.text(m.portable, text, nil); return err }},
		{withMoreRules, func() error { _, err := m.text(m.larger, text, nil); return err }},
		{ofRecords, func() error { _, err := m.records(lines, nil); return err }},
	} {
		runtime.GC()
		spent, err := cpuTime(way.run)
		if err != nil {
			return err
		}
		f.add(way.series, spent)
	}
	return nil
}

// times runs f so often and returns the best CPU time.
func times(n int, f func() error) (best time.Duration, err error) {
	for i := range n {
		spent, err := cpuTime(f)
		if err != nil {
			return 0, err
		}
		if i == 0 || spent < best {
			best = spent
		}
	}
	return best, nil
}
