package benchmarks

import (
	"testing"

	"github.com/leakveil/leakveil/benchmarks/matrix"
)

func TestMatrix(t *testing.T) {
	w := worker(t)
	for seed := range uint64(5) {
		for _, c := range matrix.All(seed) {
			t.Run(c.Name, func(t *testing.T) { check(t, w, c.Name, c.Line) })
		}
	}
}

func TestTrapsStay(t *testing.T) {
	w := worker(t)
	for seed := range uint64(20) {
		for _, c := range matrix.Traps(seed) {
			t.Run(c.Name, func(t *testing.T) { check(t, w, c.Name, c.Line) })
		}
	}
}
