// Command bigram makes detect/bigram.bin: for each pair of base64url
// characters, how much likelier it is in random text than in words, paths and
// identifiers. The text it learns from is the Go distribution's own source
// (every run of four or more such characters below GOROOT/src, comments and
// test data included), so anyone can make the table again:
//
//	go run ./detect/internal/bigram -out detect/bigram.bin
//
// It must never learn from logs or from anything that may hold a secret.
package main

import (
	"flag"
	"io/fs"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

func main() {
	out := flag.String("out", "bigram.bin", "file to write")
	flag.Parse()
	made, err := build()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, made, 0o644); err != nil {
		log.Fatal(err)
	}
}

// build learns from the Go distribution and returns the table.
func build() ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	var counts [64][64]float64
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(root)), "src"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".go" {
			return err
		}
		text, err := os.ReadFile(p)
		learn(&counts, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return table(&counts), nil
}

func learn(counts *[64][64]float64, text []byte) {
	prev := -1
	for _, c := range text {
		class := strings.IndexByte(alphabet, c)
		if prev >= 0 && class >= 0 {
			counts[prev][class]++
		}
		prev = class
	}
}

// table holds 8*log2(uniform/P(b|a)) as int8, smoothed so that no pair is
// impossible in text.
func table(counts *[64][64]float64) []byte {
	out := make([]byte, 0, 64*64)
	for a := range counts {
		total := 0.0
		for _, n := range counts[a] {
			total += n + 0.5
		}
		for _, n := range counts[a] {
			bits := 8 * math.Log2((1.0/64)/((n+0.5)/total))
			out = append(out, byte(int8(max(-127, min(48, math.Round(bits))))))
		}
	}
	return out
}
