package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leakveil/leakveil/redact"
)

// marked returns a key whose bytes are easy to find in any writing.
func marked(t *testing.T) (redact.Key, []byte) {
	t.Helper()
	secret := bytes.Repeat([]byte{0xAB, 0xCD, 'Q', 'Z'}, 8)
	key, err := redact.NewKey("k1", secret)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func TestKeyNeverPrints(t *testing.T) {
	key, secret := marked(t)
	type inside struct{ key redact.Key } // unexported: fmt calls no method of it
	type ring struct{ keys redact.Keyring }
	type worker struct{ prints *redact.Fingerprinter }
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "ring", redact.Keyring{key})
	asJSON, err := json.Marshal(map[string]any{"key": key, "ring": redact.Keyring{key}})
	if err != nil {
		t.Fatal(err)
	}
	prints := redact.NewFingerprinter(key)
	printed := log.String() + string(asJSON)
	for _, value := range []any{key, &key, redact.Keyring{key}, inside{key}, &inside{key}, ring{redact.Keyring{key}}, prints, worker{prints}, &worker{prints}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			printed += fmt.Sprintf(verb+"\n", value)
		}
	}
	for _, trace := range []string{
		string(secret[:4]), hex.EncodeToString(secret[:4]), strings.ToUpper(hex.EncodeToString(secret[:4])),
		base64.StdEncoding.EncodeToString(secret[:3]), "171 205 81 90", "0xab, 0xcd",
		"247 145 13 6", "157 251 103 108", // as HMAC keeps it (RFC 2104 §2: opad, ipad)
		`\xab\xcd`,
	} {
		if strings.Contains(printed, trace) {
			t.Errorf("the key prints as %q", trace)
		}
	}
	if !strings.Contains(printed, "key k1") {
		t.Error("the key's id does not print")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.bin")
	made, err := redact.NewKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || info.Size() != redact.MinKeyBytes {
		t.Errorf("mode %v, %d bytes, want 0600 and %d", info.Mode(), info.Size(), redact.MinKeyBytes)
	}
	read, err := redact.ReadKeyFile("", path)
	if err != nil {
		t.Fatal(err)
	}
	value := []byte("any value")
	if read.ID() != made.ID() || redact.NewFingerprinter(read).Of(value) != redact.NewFingerprinter(made).Of(value) {
		t.Error("the key read is not the key written")
	}
	if len(made.ID()) != 8 {
		t.Errorf("derived id %q, want 8 characters", made.ID())
	}
	before, _ := os.ReadFile(path)
	if _, err := redact.NewKeyFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second NewKeyFile: %v, want fs.ErrExist", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a key file was replaced")
	}
}

func TestReadKeyFile(t *testing.T) {
	for _, tc := range []struct {
		name, id string
		content  []byte
		want     string // in the error; "" for none
	}{
		{"least", "", make([]byte, 32), ""},
		{"with an id", "prod-1_A", make([]byte, 33), ""},
		{"many bytes", "", make([]byte, 1<<20), ""},
		{"no key file", "", make([]byte, 1<<20+1), "is it a key?"},
		{"short", "", make([]byte, 31), "needs 32 bytes or more, has 31"},
		{"empty", "", nil, "has 0"},
		{"id with a dot", "a.b", make([]byte, 32), "key id"},
		{"long id", strings.Repeat("k", 33), make([]byte, 32), "key id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k")
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			key, err := redact.ReadKeyFile(tc.id, path)
			switch {
			case tc.want == "" && (err != nil || tc.id != "" && key.ID() != tc.id):
				t.Errorf("key %v, error %v", key, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path)):
				t.Errorf("error %v, want %q and the path", err, tc.want)
			}
		})
	}
	if _, err := redact.ReadKeyFile("", filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want fs.ErrNotExist", err)
	}
}

// The whole file counts: keys that begin alike are different keys.
func TestKeyUsesEveryByte(t *testing.T) {
	a := make([]byte, 10_000)
	b := bytes.Clone(a)
	b[len(b)-1] = 1
	dir := t.TempDir()
	var ids []string
	for name, content := range map[string][]byte{"a": a, "b": b} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := redact.ReadKeyFile("", path)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, key.ID())
	}
	if ids[0] == ids[1] {
		t.Error("keys that differ in their last byte have one id")
	}
}

func TestDerive(t *testing.T) {
	key, secret := marked(t)
	a, b := key.Derive("a"), key.Derive("b")
	if len(a) != 32 || bytes.Equal(a, b) || bytes.Equal(a, secret) || !bytes.Equal(a, key.Derive("a")) {
		t.Error("derived keys must be 32 bytes, one for each use, the same each time")
	}
}

func TestRandomKeysDiffer(t *testing.T) {
	if a, b := redact.RandomKey(), redact.RandomKey(); a.ID() == b.ID() {
		t.Error("two random keys are one")
	}
}
