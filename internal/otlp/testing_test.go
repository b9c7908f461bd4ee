package otlp

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// database is compiled once for all tests.
var database = sync.OnceValues(func() (*detect.Database, error) {
	set, err := rules.Default()
	if err != nil {
		return nil, err
	}
	return detect.Compile(set)
})

var testKey = redact.RandomKey()

func testOptions(t testing.TB) Options {
	t.Helper()
	db, err := database()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Pipeline: pipeline.Options{Database: db, Key: testKey}, Detect: true}
}

func testMasker(t testing.TB, change func(*Options)) *Masker {
	t.Helper()
	o := testOptions(t)
	if change != nil {
		change(&o)
	}
	m, err := NewMasker(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// secret is a random verifier of 43 characters that begins and ends with a letter.
func secret() string {
	var b [33]byte
	_, _ = rand.Read(b[:])
	return "v" + base64.RawURLEncoding.EncodeToString(b[:])[:41] + "Q"
}
