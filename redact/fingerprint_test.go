package redact_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leakveil/leakveil/redact"
)

// The oracle is HMAC as RFC 2104 has it, without state or cache. More values
// than the cache has slots, so that slots are taken over.
func TestFingerprintIsHMAC(t *testing.T) {
	key, secret := marked(t)
	prints := redact.NewFingerprinter(key)
	if prints.KeyID() != key.ID() {
		t.Errorf("key id %q, want %q", prints.KeyID(), key.ID())
	}
	for round := range 2 {
		for i := range 10_000 {
			value := fmt.Appendf(nil, "value %d", i)
			mac := hmac.New(sha256.New, secret)
			mac.Write(value)
			want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
			for range 2 {
				if got := prints.Of(value); string(got[:]) != want {
					t.Fatalf("round %d, value %d: %s, want %s", round, i, got, want)
				}
			}
		}
	}
}

func TestFingerprintDependsOnValueAndKey(t *testing.T) {
	one, other := redact.NewFingerprinter(redact.RandomKey()), redact.NewFingerprinter(redact.RandomKey())
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOf(rapid.Byte()).Draw(t, "a")
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		if same := string(a) == string(b); (one.Of(a) == one.Of(b)) != same {
			t.Errorf("equal values: %t, equal fingerprints: %t", same, !same)
		}
		if one.Of(a) == other.Of(a) {
			t.Error("two keys give one fingerprint")
		}
	})
}

func TestFingerprinterNeedsAKey(t *testing.T) {
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "needs a key") {
			t.Errorf("the zero Key: %s", p)
		}
	}()
	redact.NewFingerprinter(redact.Key{})
}

func BenchmarkFingerprint(b *testing.B) {
	prints := redact.NewFingerprinter(redact.RandomKey())
	for _, size := range []int{43, 700} {
		value := []byte(strings.Repeat("v", size))
		b.Run(fmt.Sprintf("cached/%d", size), func(b *testing.B) {
			want := prints.Of(value)
			b.ReportAllocs()
			for b.Loop() {
				if prints.Of(value) != want {
					b.Fatal("another fingerprint")
				}
			}
		})
		b.Run(fmt.Sprintf("uncached/%d", size), func(b *testing.B) {
			last := prints.Of(value)
			n := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				for i := range 8 { // a value that was not seen before
					value[i] = byte(n >> (8 * i))
				}
				n++
				if fp := prints.Of(value); fp == last {
					b.Fatal("one fingerprint for two values")
				} else {
					last = fp
				}
			}
		})
	}
}
