package redact

import (
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

const maxKeyBytes = 4096

var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// Key is a fingerprint key. Its bytes never print.
type Key struct {
	id    string
	bytes []byte
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
func NewKey(id string, secret []byte) (Key, error) {
	if len(secret) < MinKeyBytes {
		return Key{}, fmt.Errorf("a key needs %d bytes or more, has %d (leakveil key new FILE makes one)", MinKeyBytes, len(secret))
	}
	if id == "" {
		sum := sha256.Sum256(append([]byte("leakveil key id\x00"), secret...))
		id = base64.RawURLEncoding.EncodeToString(sum[:6])
	}
	if !keyID.MatchString(id) {
		return Key{}, errors.New("a key id is 1 to 32 of A-Z a-z 0-9 _ -")
	}
	return Key{id: id, bytes: append([]byte(nil), secret...)}, nil
}

// ReadKeyFile reads a key: any 32 bytes or more.
func ReadKeyFile(id, path string) (Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	defer file.Close()
	secret, err := io.ReadAll(io.LimitReader(file, maxKeyBytes))
	if err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	key, err := NewKey(id, secret)
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
	_, err = file.Write(key.bytes)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return Key{}, fmt.Errorf("key file: %w", err)
	}
	return key, nil
}

// RandomKey makes a key for one run.
func RandomKey() Key {
	var secret [MinKeyBytes]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	key, err := NewKey("", secret[:])
	if err != nil {
		panic("BUG: a random key is long enough")
	}
	return key
}

// Keyring holds the keys: the first signs, all can be asked.
type Keyring []Key
