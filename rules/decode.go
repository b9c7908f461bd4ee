package rules

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed packs
var embedded embed.FS

// Default returns the embedded packs, checked.
func Default() (*Set, error) { return Load(nil, nil) }

// Load returns the embedded packs and those of the given folders (*.yaml, read
// recursively), without the disabled rule ids. It fails on the first file that
// is not exactly right, naming file, line and reason; an unknown disabled id is
// an error too, since a typing error there would change what is masked.
func Load(dirs []string, disabled []string) (*Set, error) {
	set := &Set{}
	if err := set.addFS(embedded, "packs", ""); err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, fmt.Errorf("rules folder: %w", err)
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("rules folder %s: not a folder", dir)
		}
		if err := set.addFS(os.DirFS(dir), ".", dir); err != nil {
			return nil, err
		}
	}
	if err := set.index(); err != nil {
		return nil, err
	}
	if err := set.suppressions(); err != nil {
		return nil, err
	}
	return set, set.disable(disabled)
}

func (s *Set) addFS(fsys fs.FS, root, shown string) error {
	var files []string
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (path.Ext(p) == ".yaml" || path.Ext(p) == ".yml") {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("rules folder %s: %w", shown, err)
	}
	sort.Strings(files)
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("rule pack %s: %w", filepath.Join(shown, file), err)
		}
		pack, err := Decode(filepath.Join(shown, file), text)
		if err != nil {
			return err
		}
		s.Packs = append(s.Packs, *pack)
	}
	return nil
}

// Decode reads one pack strictly: an unknown key, a wrong type or a rule that
// does not pass its lint is an error that names file, line and reason.
func Decode(file string, text []byte) (*Pack, error) {
	pack := &Pack{File: file}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(pack); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the file is empty", file)
		}
		return nil, decodeError(file, err)
	}
	if err := decoder.Decode(new(Pack)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: a pack is one YAML document, found more", file)
	}
	if err := pack.lint(text); err != nil {
		return nil, err
	}
	if pack.Name == "" {
		return nil, fmt.Errorf("%s: pack: the pack's name is missing", file)
	}
	return pack, nil
}

// lint checks rules and suppressions, and tells them their lines.
func (p *Pack) lint(text []byte) error {
	lines, err := entryLines(text)
	if err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		rule.File, rule.Line = p.File, lines["rules"][i]
		if rule.Role == "" {
			rule.Role = RoleSecret
		}
		if err := rule.lint(); err != nil {
			return fmt.Errorf("%s:%d: rule %q: %w", p.File, rule.Line, rule.ID, err)
		}
	}
	for i := range p.Suppress {
		entry := &p.Suppress[i]
		entry.File, entry.Line = p.File, lines["suppress"][i]
		if err := entry.lint(); err != nil {
			return fmt.Errorf("%s:%d: suppress: %w", p.File, entry.Line, err)
		}
	}
	return nil
}

var (
	atLine     = regexp.MustCompile(`^line (\d+): `)
	unknownKey = regexp.MustCompile(`field (\S+) not found in type \S+`)
)

// decodeError writes what the YAML decoder says as file:line: reason.
func decodeError(file string, err error) error {
	reasons := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		reasons = typed.Errors
	}
	var all []error
	for _, reason := range reasons {
		place := file + ": "
		if at := atLine.FindStringSubmatch(reason); at != nil {
			place, reason = file+":"+at[1]+": ", reason[len(at[0]):]
		}
		all = append(all, errors.New(place+unknownKey.ReplaceAllString(reason, "unknown key $1")))
	}
	return errors.Join(all...)
}

// entryLines finds the line of each entry of the pack's lists, for messages.
func entryLines(text []byte) (map[string][]int, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	lines := map[string][]int{}
	for i, top := 0, doc.Content[0].Content; i+1 < len(top); i += 2 {
		for _, entry := range top[i+1].Content {
			lines[top[i].Value] = append(lines[top[i].Value], entry.Line)
		}
	}
	return lines, nil
}

// index gathers the rules of all packs and refuses duplicate ids.
func (s *Set) index() error {
	seen := map[string]*Rule{}
	for i := range s.Packs {
		for j := range s.Packs[i].Rules {
			rule := &s.Packs[i].Rules[j]
			if first := seen[rule.ID]; first != nil {
				return fmt.Errorf("%s:%d: rule id %q is already taken by %s:%d",
					rule.File, rule.Line, rule.ID, first.File, first.Line)
			}
			seen[rule.ID] = rule
			s.Rules = append(s.Rules, *rule)
		}
	}
	if len(s.Rules) == 0 {
		return errors.New("no rules: an empty rule set would let everything pass")
	}
	return nil
}

func (s *Set) disable(ids []string) error {
	for _, id := range ids {
		at := -1
		for i := range s.Rules {
			if s.Rules[i].ID == id {
				at = i
			}
		}
		if at < 0 {
			return fmt.Errorf("rules: cannot disable %q: no such rule (leakveil rules list shows all)", id)
		}
		s.Rules = append(s.Rules[:at], s.Rules[at+1:]...)
	}
	if len(s.Rules) == 0 {
		return errors.New("no rules left: an empty rule set would let everything pass")
	}
	return nil
}
