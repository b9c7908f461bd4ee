package leakveilprocessor

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

// randomVerifier is a verifier that begins and ends with a letter.
func randomVerifier() string {
	var b [33]byte
	_, _ = rand.Read(b[:])
	return "v" + base64.RawURLEncoding.EncodeToString(b[:])[:41] + "Q"
}

// resident is the memory of the process, that of the engine included.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc: memory cannot be read here")
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
