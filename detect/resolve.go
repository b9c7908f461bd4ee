package detect

import (
	"slices"

	"github.com/leakveil/leakveil/internal/layer"
)

// priority says which of two candidates for the same bytes names the kind.
func (c *candidate) priority() int { return priority(c.trigger) }

func priority(t *Trigger) int {
	switch t.form {
	case formKey:
		return 4
	case formScheme:
		return 3
	case formJar:
		return 2
	case formWeak:
		return 1
	case formSuffix:
		return 0
	}
	if len(t.elems) <= 4 { // short prefixes (eyJ) say little
		return 0
	}
	return 2
}

// before orders candidates: by place, the longer first, then by what names it best.
func before(a, b *candidate) bool {
	switch {
	case a.Blob != b.Blob:
		return a.Blob < b.Blob
	case a.End != b.End:
		return a.End > b.End
	case a.priority() != b.priority():
		return a.priority() > b.priority()
	}
	return a.KeyStart < b.KeyStart // the longer key says more: registration_access_token
}

// resolve turns candidates into findings that do not overlap. Candidates that
// share bytes become one: what covers most names it, and all of it is masked.
func (s *Scanner) resolve() {
	for i := 1; i < len(s.candidates); i++ {
		if before(&s.candidates[i], &s.candidates[i-1]) { // rare: they come in the order of events
			slices.SortStableFunc(s.candidates, func(a, b candidate) int {
				switch {
				case before(&a, &b):
					return -1
				case before(&b, &a):
					return 1
				}
				return 0
			})
			break
		}
	}
	for i := 0; i < len(s.candidates); {
		best := s.candidates[i]
		end := best.End
		j := i + 1
		for ; j < len(s.candidates) && s.candidates[j].Blob < end; j++ {
			other := &s.candidates[j]
			if other.End > end { // a partial overlap: mask both as one
				end = other.End
				best.Blob = min(best.Blob, other.Blob)
				best.whole()
			}
			if len(best.Inside) > 0 { // it is none of what the blob holds
				best.whole()
			}
			best.Form.Percent = best.Form.Percent || other.Form.Percent
			best.Form.Backslash = best.Form.Backslash || other.Form.Backslash
			best.Form.Entity = best.Form.Entity || other.Form.Entity
		}
		best.End = end
		s.findings = append(s.findings, best.Finding)
		i = j
	}
}

// whole makes a finding one whose range is masked as it stands.
func (f *Finding) whole() {
	f.Start, f.Inside = f.Blob, nil
	f.Form.Base64, f.Form.Lead, f.Form.Gzip = layer.NoBase64, 0, false
}
