package main

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"testing"
)

// madeWith is the Go whose source the committed table was learned from.
const madeWith = "go1.26.8"

// The committed table is what this program makes: byte for byte with the same Go,
// and near it with another, whose source differs a little.
func TestCommittedTable(t *testing.T) {
	committed, err := os.ReadFile("../../bigram.bin")
	if err != nil {
		t.Fatal(err)
	}
	made, err := build()
	if err != nil {
		t.Fatal(err)
	}
	if len(committed) != 64*64 || len(made) != len(committed) {
		t.Fatalf("%d and %d bytes", len(committed), len(made))
	}
	if runtime.Version() == madeWith {
		if !bytes.Equal(committed, made) {
			t.Error("the committed table is not the program's: run go generate ./detect")
		}
		return
	}
	sum := 0.0
	for i := range made {
		sum += math.Abs(float64(int8(made[i])) - float64(int8(committed[i])))
	}
	// In eighths of a bit. Seldom pairs move most when the source changes.
	if mean := sum / float64(len(made)); mean > 4 {
		t.Errorf("%s: the table is %.2f eighths of a bit away from the committed one in the mean", runtime.Version(), mean)
	}
}
