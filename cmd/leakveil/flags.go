package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/dbcache"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// ruleFlags choose the rules.
type ruleFlags struct {
	dirs    []string
	disable []string
	noCache bool
	engine  engineFlag
	form    formFlag
}

func (f *ruleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.dirs, "rules", nil, "also read rule packs (*.yaml) from this `folder`; may be repeated")
	cmd.Flags().StringArrayVar(&f.disable, "disable", nil, "switch the rule with this `id` off; may be repeated")
}

// addCache is for commands that compile the rules.
func (f *ruleFlags) addCache(cmd *cobra.Command) {
	f.engine.add(cmd)
	f.form.add(cmd)
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "compile the rules anew, and keep nothing in the user's cache folder")
}

// engineFlag chooses what looks for triggers.
type engineFlag struct {
	name string
}

func (f *engineFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "engine", string(detect.Auto),
		"what looks for triggers: `name` is hyperscan, portable (plain Go, 0.35 to 0.7 of the speed, finds the same), or auto, the first that the build has")
	// The only error is a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"auto", "hyperscan", "portable"}, cobra.ShellCompDirectiveNoFileComp))
}

// formFlag chooses how Hyperscan gets the triggers.
type formFlag struct {
	name string
}

func (f *formFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "engine-form", string(detect.AutoForm),
		"how triggers are written for Hyperscan: `name` is classes, literals, or auto, the faster of them on this machine; all find the same")
	_ = cmd.RegisterFlagCompletionFunc("engine-form", cobra.FixedCompletions([]string{"auto", "classes", "literals"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *formFlag) form() (detect.EngineForm, error) {
	form := detect.EngineForm(f.name)
	if err := form.Check(); err != nil {
		return "", wrongUse(fmt.Errorf("--%w", err))
	}
	return form, nil
}

// portableNote is said at the start, since the speed is another.
const portableNote = "the portable engine is in use: plain Go, 0.35 to 0.7 of Hyperscan's speed, the same findings"

// resolve returns the engine, and says so when it is the portable one.
func (f *engineFlag) resolve(stderr io.Writer) (detect.Engine, error) {
	engine, err := detect.Engine(f.name).Resolve()
	if err != nil {
		return "", wrongUse(fmt.Errorf("--%w", err))
	}
	if engine == detect.Portable {
		fmt.Fprintln(stderr, "leakveil: "+portableNote)
	}
	return engine, nil
}

// databases is where compiled rules are kept.
var databases = dbcache.Default()

// compile returns the rules ready to scan with.
func (f *ruleFlags) compile(set *rules.Set, stderr io.Writer) (*detect.Database, error) {
	engine, err := f.engine.resolve(stderr)
	if err != nil {
		return nil, err
	}
	form, err := f.form.form()
	if err != nil {
		return nil, err
	}
	options := detect.Options{Engine: engine, Form: form, Cache: databases}
	if f.noCache {
		options.Cache = nil
	}
	db, err := detect.CompileWith(options, set)
	return db, wrongUse(err)
}

// load returns the built-in rules and those of the folders.
func (f *ruleFlags) load() (*rules.Set, error) {
	set, err := rules.Load(f.dirs, f.disable)
	return set, wrongUse(err)
}

// keyFlags name the fingerprint keys.
type keyFlags struct {
	files []string
}

func (f *keyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.files, "key-file", nil,
		"fingerprint key `file` (leakveil key new makes one), or id=file as in the configuration; may be repeated, the first signs")
}

// ring returns the keys. Without any it makes one for this run and says so,
// since nobody can compare those fingerprints with other runs'.
func (f *keyFlags) ring(stderr io.Writer) (redact.Keyring, error) {
	if len(f.files) == 0 {
		key := redact.RandomKey()
		fmt.Fprintf(stderr, "leakveil: no --key-file: fingerprints use key %s, made for this run alone\n", key.ID())
		return redact.Keyring{key}, nil
	}
	return f.read()
}

// read returns the keys of the files.
func (f *keyFlags) read() (redact.Keyring, error) {
	var ring redact.Keyring
	for _, file := range f.files {
		id, path := keyID(file)
		key, err := redact.ReadKeyFile(id, path)
		if err != nil {
			return nil, wrongUse(err)
		}
		ring = append(ring, key)
	}
	return ring, nil
}

// keyID parts id=FILE, for keys that the configuration of run names. A file whose
// own name has the form is itself.
func keyID(arg string) (id, path string) {
	before, after, ok := strings.Cut(arg, "=")
	if _, err := os.Stat(arg); !ok || err == nil {
		return "", arg
	}
	return before, after
}

// policyFlags say what happens to each kind.
type policyFlags struct {
	pairs []string
}

func (f *policyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.pairs, "policy", nil,
		"what to do with a kind, as `kind=action`; actions are mask (the default), hash, partial, remove, drop_record, report; may be repeated")
}

// parse returns the policy; kinds that are not named are masked.
func (f *policyFlags) parse() (redact.Policy, error) {
	names := map[string]string{}
	for _, pair := range f.pairs {
		kind, action, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, wrongUse(fmt.Errorf("--policy %q: want kind=action", pair))
		}
		if before, twice := names[kind]; twice {
			return nil, wrongUse(fmt.Errorf("--policy: %s is given twice, as %s and %s", kind, before, action))
		}
		names[kind] = action
	}
	policy, err := redact.ParsePolicy(names)
	return policy, wrongUse(err)
}
