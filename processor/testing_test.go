package leakveilprocessor

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"runtime"
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

// resident is the memory of the process, that of the engine included; where the
// system does not tell it, that of Go.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if errors.Is(err, fs.ErrNotExist) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.Sys - m.HeapReleased)
	}
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
