// Command gen writes a generated corpus and, on demand, the labels of what is
// planted in it. The same arguments give the same files. It must never write a
// planted value into the labels.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

// label is a line of the labels: a finding as leakveil redact --findings has it,
// with a hash of the value instead of a fingerprint.
type label struct {
	Line   int64   `json:"line"`
	Start  int     `json:"start"`
	End    int     `json:"end"`
	Kind   string  `json:"kind"`
	Client *string `json:"client_id"`
	SHA256 string  `json:"sha256"`
}

func main() {
	log.SetFlags(0)
	kind := flag.String("kind", "mixed", "clean, mixed or auth")
	size := flag.Int64("bytes", 64<<20, "least size of the corpus")
	out := flag.String("out", "", "corpus `file`")
	labels := flag.String("labels", "", "labels `file` (NDJSON); none when empty")
	flag.Parse()
	if err := run(*kind, *size, *out, *labels); err != nil {
		log.Fatal("gen: ", err)
	}
}

func run(kind string, size int64, out, labels string) error {
	options, ok := map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth}[kind]
	if !ok || out == "" {
		return fmt.Errorf("want -kind clean, mixed or auth and -out FILE, have kind %q", kind)
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	var l *bufio.Writer
	if labels != "" {
		f, err := os.Create(labels)
		if err != nil {
			return err
		}
		defer f.Close()
		l = bufio.NewWriterSize(f, 1<<20)
	}
	g := corpus.New(options)
	for n, line := int64(0), int64(0); n < size; line++ {
		next := g.Next()
		n += int64(len(next.Text)) + 1
		if _, err := w.Write(append(next.Text, '\n')); err != nil {
			return err
		}
		if l != nil {
			if err := write(l, line, next.Secrets); err != nil {
				return err
			}
		}
	}
	err = errors.Join(w.Flush(), file.Close())
	if l != nil {
		err = errors.Join(err, l.Flush())
	}
	return err
}

func write(w *bufio.Writer, line int64, secrets []corpus.Secret) error {
	for _, s := range secrets {
		sum := sha256.Sum256([]byte(s.Value))
		l := label{Line: line, Start: s.Start, End: s.End, Kind: string(s.Kind), SHA256: hex.EncodeToString(sum[:])}
		if s.Client != "" {
			l.Client = &s.Client
		}
		if err := json.NewEncoder(w).Encode(l); err != nil {
			return err
		}
	}
	return nil
}
