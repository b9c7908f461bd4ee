package redact

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
)

// MinKeyBytes is the least a key file holds.
const MinKeyBytes = 32

// maxKeyBytes stops the reading of what is no key file: a device, a log.
const maxKeyBytes = 1 << 20

var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Key is a fingerprint key. Its bytes never print.
type Key struct {
	id string
	// A function: fmt calls no method of an unexported field, so that a key inside
	// another type would print its bytes, with %s even from behind a pointer. Of
	// a function every verb prints an address.
	bytes func() []byte
}

// ID names the key in masks and alerts. It tells nothing about the key.
func (k Key) ID() string { return k.id }

// String hides the key.
func (k Key) String() string { return "key " + k.id }

// GoString hides the key.
func (k Key) GoString() string { return k.String() }

// Format hides the key from every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalJSON hides the key.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + k.String() + `"`), nil }

// LogValue hides the key.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// NewKey makes a key of at least MinKeyBytes bytes. An empty id is derived from
// the bytes by a hash, so that the same file has the same id everywhere.
func NewKey(id string, bytes []byte) (Key, error) {
	if len(bytes) < MinKeyBytes {
		return Key{}, fmt.Errorf("a key needs %d bytes or more, has %d (leakveil key new FILE makes one)", MinKeyBytes, len(bytes))
	}
	if id == "" {
		sum := sha256.Sum256(append([]byte("leakveil key id\x00"), bytes...))
		id = base64.RawURLEncoding.EncodeToString(sum[:6])
	}
	if !keyID.MatchString(id) {
		return Key{}, errors.New("a key id is 1 to 32 of A-Z a-z 0-9 _ -")
	}
	own := append([]byte(nil), bytes...)
	return Key{id: id, bytes: func() []byte { return own }}, nil
}

// ReadKeyFile reads a key: any 32 bytes or more.
func ReadKeyFile(id, path string) (Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	defer file.Close()
	bytes, err := io.ReadAll(io.LimitReader(file, maxKeyBytes+1))
	if err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	if len(bytes) > maxKeyBytes {
		return Key{}, fmt.Errorf("key file %s: longer than %d bytes: is it a key?", path, maxKeyBytes)
	}
	key, err := NewKey(id, bytes)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}

// NewKeyFile writes a new random key, readable by its owner alone. It never
// replaces a file: masks made with the old key could no longer be recognised.
func NewKeyFile(path string) (Key, error) {
	key := RandomKey()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	_, err = file.Write(key.bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		// Half a key must not stay: the next run would refuse it and could not replace it.
		return Key{}, fmt.Errorf("key file: %w", errors.Join(err, os.Remove(path)))
	}
	return key, nil
}

// RandomKey makes a key for one run.
func RandomKey() Key {
	var bytes [MinKeyBytes]byte
	_, _ = rand.Read(bytes[:]) // never fails (crypto/rand)
	key, err := NewKey("", bytes[:])
	if err != nil {
		panic("BUG: a random key is long enough")
	}
	return key
}

// Derive returns 32 bytes made from the key for another use, so that no two uses
// share a key.
func (k Key) Derive(use string) []byte {
	mac := hmac.New(sha256.New, k.bytes())
	mac.Write([]byte("leakveil derive\x00" + use))
	return mac.Sum(nil)
}

// Keyring holds the keys: the first signs, all can be asked.
type Keyring []Key
