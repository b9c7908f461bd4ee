//go:build cgo

package detect

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// clearly is how much faster than the first form another has to be.
const clearly = 0.95

// calibrated compiles the triggers in the form that is the fastest here. A cache keeps
// that one, with the form's name behind it: the choice of a processor is made once.
func calibrated(cache Cache, triggers []*Trigger) (matcher, EngineForm, error) {
	key := ""
	if cache != nil {
		key = digest(hyperscanVersion()+processor(), triggers, EngineForms...)
		if m, form := stored(cache.Load(key), triggers); m != nil {
			return m, form, nil
		}
	}
	data, err := inAllForms(triggers)
	if err != nil {
		return nil, "", err
	}
	all := make([]*hyperscanMatcher, len(data))
	for i, form := range EngineForms {
		if all[i], err = restore(data[i], form.behind(triggers)); err != nil {
			return nil, "", err
		}
	}
	best, err := fastest(all)
	if err != nil {
		return nil, "", err
	}
	form := EngineForms[best]
	if cache != nil && len(data[best]) > 0 {
		cache.Store(key, append(data[best], form...))
	}
	return all[best], form, nil
}

// stored is what calibrated kept, or nil when it does not prove itself.
func stored(data []byte, triggers []*Trigger) (*hyperscanMatcher, EngineForm) {
	for _, form := range EngineForms {
		if db, ok := bytes.CutSuffix(data, []byte(form)); ok && len(db) > 0 {
			if m, err := restore(db, form.behind(triggers)); err == nil && prove(m, triggers) == nil {
				return m, form
			}
		}
	}
	return nil, ""
}

// inAllForms compiles the triggers in each form, side by side.
func inAllForms(triggers []*Trigger) ([][]byte, error) {
	data, errs := make([][]byte, len(EngineForms)), make([]error, len(EngineForms))
	var done sync.WaitGroup
	for i, form := range EngineForms {
		done.Go(func() { data[i], errs[i] = serialized(triggers, form) })
	}
	done.Wait()
	return data, errors.Join(errs...)
}

// fastest scans the sample with each in turn, and compares the best times.
func fastest(all []*hyperscanMatcher) (int, error) {
	const rounds = 2
	text := logText()
	parts := slices.Collect(slices.Chunk(text, scanWindow))
	times := make([][]time.Duration, len(all))
	engines := make([]engine, len(all))
	for i, m := range all {
		e, err := m.engine()
		if err != nil {
			return 0, err
		}
		defer e.close()
		engines[i], times[i] = e, slices.Repeat([]time.Duration{time.Hour}, len(parts))
	}
	var events []event
	for range rounds {
		for k, part := range parts {
			for i, e := range engines {
				start := time.Now()
				if err := e.scan(part, &events); err != nil {
					return 0, fmt.Errorf("detect: choose a form: %w", err)
				}
				times[i][k], events = min(times[i][k], time.Since(start)), events[:0]
			}
		}
	}
	best := 0
	for i := range times {
		if total(times[i]) < clearly*total(times[best]) {
			best = i
		}
	}
	return best, nil
}

func total(times []time.Duration) (seconds float64) {
	for _, t := range times {
		seconds += t.Seconds()
	}
	return seconds
}

// sampleSize is so long that no processor learns by heart where the engine finds what.
const sampleSize = 1 << 20

// logText is lines of sampleText in random order, with other digits and with half of the
// words exchanged. It is always the same.
func logText() []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	lines := strings.SplitAfter(sampleText, "\n")
	words := strings.FieldsFunc(sampleText, func(r rune) bool { return !unicode.IsLetter(r) })
	out := make([]byte, 0, sampleSize+len(sampleText))
	for len(out) < sampleSize {
		line := lines[rnd.IntN(len(lines))]
		for p := 0; p < len(line); {
			end := p
			for end < len(line) && isLetter(line[end]) {
				end++
			}
			switch c := line[p]; {
			case end > p && rnd.IntN(2) == 0:
				out = append(out, words[rnd.IntN(len(words))]...)
			case end > p:
				out = append(out, line[p:end]...)
			case isDigit(c):
				out = append(out, byte('0'+rnd.IntN(10)))
			default:
				out = append(out, c)
			}
			p = max(end, p+1)
		}
	}
	return out
}

// processor names this machine's, as far as Linux tells it: a cache in a home folder
// may be seen from several machines.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, model, _ := bytes.Cut(info, []byte("model name"))
	model, _, _ = bytes.Cut(model, []byte("\n"))
	return string(model)
}
