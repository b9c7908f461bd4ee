// Package config reads leakveil's configuration: defaults that are built in,
// then one YAML file, then LEAKVEIL_… environment variables, decoded strictly.
//
// Basics: [Load] gives a checked [Config] or a [Problems] error that lists every
// mistake with key, file and line. defaults.yaml is the one table of keys: it
// holds the defaults, its comments are the reference in docs/config.md, and a
// test holds it against the fields of Config both ways.
//
// It must never hold a secret. Passwords and keys stand in files, the
// configuration names the files; a secret written inline is refused and is not
// repeated in the error.
package config
