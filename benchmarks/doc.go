// Package benchmarks checks and measures leakveil on generated corpora. A
// benchmark that does not also check its answer must not be added here.
package benchmarks
