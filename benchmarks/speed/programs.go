package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/measure"
)

// programs are the commands that are measured.
type programs struct {
	options
	work, key, triggers string
	raw                 *measure.Raw
	shipped, referenced int // expressions
}

func newPrograms(o options, work string) (*programs, error) {
	p := &programs{options: o, work: work, key: filepath.Join(work, "key"), triggers: filepath.Join(work, "triggers.txt")}
	var errs [3]error
	p.raw, errs[0] = measure.BuildRaw(o.rawscan, work)
	p.shipped, errs[1] = measure.WriteTriggers(o.leakveil, p.triggers)
	errs[2] = measure.Quiet(o.leakveil, "key", "new", p.key)
	return p, errors.Join(errs[:]...)
}

// redact is a command line of leakveil's, not yet on any core.
func (p *programs) redact(workers string, more ...string) []string {
	return append([]string{p.leakveil, "redact", "--workers", workers, "--key-file", p.key}, more...)
}

// commands are the command lines as a reader would type them.
func (p *programs) commands() []string {
	var out []string
	for _, c := range [][]string{
		p.raw.Command(p.cpu, p.triggers, "CORPUS"),
		p.raw.Command(p.cpu, p.reference, "CORPUS"),
		measure.Pinned(p.cpu, p.redact("1", "CORPUS")...),
		p.redact("2", "CORPUS"),
	} {
		out = append(out, strings.ReplaceAll(strings.Join(c, " "), p.work+"/", "")+" > /dev/null")
	}
	return append(out, fmt.Sprintf("go run ./benchmarks/speed -rounds %d -bytes %d -cpu %d", p.rounds, p.bytes, p.cpu))
}

// check proves the answer of one worker with the labels, and that of two workers by
// the first one's. It returns the proof in words and the hash of the masked output.
func (p *programs) check(c *measure.Corpus) (string, []byte, error) {
	checked, err := measure.Check(p.redact("1", c.Path), p.work, c)
	if err != nil {
		return "", nil, err
	}
	one, err := outputOf(p.redact("1", c.Path))
	if err != nil {
		return "", nil, err
	}
	two, err := outputOf(p.redact("2", c.Path))
	if err == nil && !bytes.Equal(one, two) {
		err = errors.New("two workers give another output than one")
	}
	return checked, one, err
}

// outputOf is the SHA-256 of what a command prints.
func outputOf(command []string) ([]byte, error) {
	sum := sha256.New()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout = sum
	err := cmd.Run()
	return sum.Sum(nil), err
}

// round runs every command once.
func (p *programs) round(c *measure.Corpus, f *figures) error {
	shipped, err := p.raw.Scan(p.cpu, p.triggers, c.Path)
	if err != nil {
		return err
	}
	reference, err := p.raw.Scan(p.cpu, p.reference, c.Path)
	if err != nil {
		return err
	}
	f.add(raw, shipped.CPU)
	f.add(rawReference, reference.CPU)
	f.referenceExpressions, p.referenced = reference.Expressions, int(reference.Expressions)
	redact, err := measure.Run(1, measure.Pinned(p.cpu, p.redact("1", c.Path)...))
	if err != nil {
		return err
	}
	f.add(file, redact.CPU)
	for _, m := range []struct {
		workers string
		series  series
	}{{"1", oneWorker}, {"2", twoWorkers}} {
		spent, err := measure.Run(2, append([]string{"taskset", "-c", "0,1"}, p.redact(m.workers, c.Path)...))
		if err != nil {
			return err
		}
		f.add(m.series, spent.Wall)
	}
	return nil
}

// firstLine is the time from the start of leakveil redact to its first masked line,
// while its input stays open.
func (p *programs) firstLine(more ...string) (took time.Duration, err error) {
	command := measure.Pinned(p.cpu, p.redact("1", more...)...)
	cmd := exec.Command(command[0], command[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	secret := fmt.Sprintf("%016x%016x%016x", rand.Uint64(), rand.Uint64(), rand.Uint64())
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = io.WriteString(in, "POST /token code_verifier="+secret+"&grant_type=authorization_code 200\n")
	if err == nil {
		line, readErr := bufio.NewReader(out).ReadString('\n')
		took, err = time.Since(start), readErr
		if err == nil && (strings.Contains(line, secret) || !strings.HasPrefix(line, "POST /token code_verifier=")) {
			err = errors.New("the first line is not masked")
		}
	}
	return took, errors.Join(err, in.Close(), cmd.Wait())
}
