package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leakveil/leakveil/redact"
)

func newKey() *cobra.Command {
	create := &cobra.Command{
		Use:   "new FILE",
		Short: "Write a new random key",
		Long: `Write a new random key to FILE, readable by its owner alone, and print its id.
An existing file is never replaced: fingerprints made with the old key could no
longer be recognised.`,
		Example: "  leakveil key new key.bin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := redact.NewKeyFile(args[0])
			if errors.Is(err, fs.ErrExist) {
				return wrongUse(fmt.Errorf("%s is there already; a key is never replaced, choose another name", args[0]))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key.ID())
			return err
		},
	}
	return group("key", "Make fingerprint keys",
		"Fingerprints in masks and alerts are keyed hashes. Whoever has the key can ask\nwhether a value is the one of an alert; nobody can go back from it to the value.", create)
}

// maxValue bounds what fingerprint reads: longer than any value that is found.
const maxValue = 16 << 20

func newFingerprint() *cobra.Command {
	var keys keyFlags
	cmd := &cobra.Command{
		Use:   "fingerprint --key-file FILE",
		Short: "Print the fingerprint of a value, to look for it in alerts",
		Long: `Read a value from standard input and print, for each key, the key's id and the
value's fingerprint. One newline at the end of the input is not part of the value.
At a terminal the value is asked for and not shown.

Give the value as a client would use it: decoded (4/0A, not 4%2F0A), and of Basic
credentials the password alone. It is never taken from the command line, which
other users can see.`,
		Example: "  pass show idp/token | leakveil fingerprint --key-file key.bin",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 { // cobra's own error would show the value
				return errors.New("fingerprint: the value comes on standard input, never on the command line; if it was a secret, it is now in your shell's history")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(keys.files) == 0 {
				return wrongUse(errors.New("fingerprint: --key-file is missing: name the key that made the fingerprints you look for"))
			}
			ring, err := keys.read()
			if err != nil {
				return err
			}
			value, err := readValue(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer clear(value)
			return printFingerprints(cmd.OutOrStdout(), ring, value)
		},
	}
	keys.add(cmd)
	return cmd
}

// readValue reads the value; from a terminal without showing it.
func readValue(in io.Reader, stderr io.Writer) ([]byte, error) {
	var value []byte
	var err error
	if file, ok := in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fmt.Fprint(stderr, "value: ")
		value, err = term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(stderr)
	} else {
		value, err = io.ReadAll(io.LimitReader(in, maxValue+1))
	}
	if err != nil {
		return nil, fmt.Errorf("fingerprint: standard input: %w", err)
	}
	if line, ok := bytes.CutSuffix(value, []byte("\n")); ok {
		value = bytes.TrimSuffix(line, []byte("\r")) // belongs to the newline
	}
	switch {
	case len(value) == 0:
		return nil, wrongUse(errors.New("fingerprint: standard input holds no value"))
	case len(value) > maxValue:
		clear(value)
		return nil, wrongUse(fmt.Errorf("fingerprint: the value is longer than %d bytes", maxValue))
	}
	return value, nil
}

func printFingerprints(out io.Writer, ring redact.Keyring, value []byte) error {
	for _, key := range ring {
		print := redact.NewFingerprinter(key).Of(value)
		if _, err := fmt.Fprintln(out, key.ID(), string(print[:])); err != nil {
			return err
		}
	}
	return nil
}
