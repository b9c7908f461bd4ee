package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/maphash"
	"io"

	"github.com/leakveil/leakveil/rules"
)

// Fingerprint is HMAC-SHA-256 of a fully decoded value, cut to 128 bits, as 22
// base64url characters.
type Fingerprint [rules.FingerprintLen]byte

// cacheSlots is the number of fingerprints that are remembered: a token that is
// logged a thousand times is hashed once. A power of two.
const cacheSlots = 4096

// slot remembers a fingerprint by two independent 64-bit hashes with secret
// seeds; it holds no byte of the value, and a collision has odds of 2^-128.
type slot struct {
	a, b uint64
	fp   Fingerprint
}

// Fingerprinter makes fingerprints with one key. It belongs to one goroutine.
type Fingerprinter struct {
	keyID string
	mac   hash.Hash
	seeds [2]maphash.Seed
	cache []slot
	sum   [sha256.Size]byte
}

// NewFingerprinter returns a fingerprinter for the key. It panics on the zero
// Key: fingerprints without a key could be guessed.
func NewFingerprinter(key Key) *Fingerprinter {
	if key.bytes == nil {
		panic("BUG: redact.NewFingerprinter needs a key, got the zero Key")
	}
	return &Fingerprinter{
		keyID: key.id,
		mac:   hmac.New(sha256.New, key.bytes()),
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		cache: make([]slot, cacheSlots),
	}
}

// Format hides the state, which the key can be computed from, from every verb.
func (f *Fingerprinter) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "fingerprinter of key "+f.keyID)
}

// KeyID names the key.
func (f *Fingerprinter) KeyID() string { return f.keyID }

// Of returns the value's fingerprint. The value is not kept.
func (f *Fingerprinter) Of(value []byte) Fingerprint {
	a, b := maphash.Bytes(f.seeds[0], value), maphash.Bytes(f.seeds[1], value)
	s := &f.cache[a%cacheSlots]
	if s.a == a && s.b == b && s.fp[0] != 0 {
		return s.fp
	}
	f.mac.Reset()
	f.mac.Write(value)
	f.mac.Sum(f.sum[:0])
	s.a, s.b = a, b
	base64.RawURLEncoding.Encode(s.fp[:], f.sum[:16])
	return s.fp
}
