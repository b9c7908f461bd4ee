// Command rss pipes gigabytes of log lines through leakveil redact and prints
// its resident memory every second, to show that memory does not grow with the
// input. It fails when it does. It must never measure a program that has read
// less than it was given.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
)

func main() {
	log.SetFlags(0)
	bin := flag.String("bin", "bin/leakveil", "leakveil `program`")
	total := flag.Int64("bytes", 5e9, "input size")
	slack := flag.Int64("slack", 32<<20, "growth in bytes that still counts as flat")
	flag.Parse()
	samples, err := measure(*bin, *total, os.Stdout)
	if err == nil {
		err = flat(samples, *slack)
	}
	if err != nil {
		log.Fatal("rss: ", err)
	}
	fmt.Println("flat")
}

// sample is the resident memory after some input.
type sample struct{ fed, resident int64 }

// blockSize is what is generated; the input repeats it. Whole lines.
const blockSize = 64 << 20

func block() []byte {
	var out bytes.Buffer
	for g := corpus.New(corpus.Mixed); out.Len() < blockSize; {
		out.Write(g.Next().Text)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// measure feeds the program and samples it until its input has ended.
func measure(bin string, total int64, report io.Writer) ([]sample, error) {
	cmd := exec.Command(bin, "redact")
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	data := block()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	fed := make(chan int64)
	failed := make(chan error, 1)
	go func() { failed <- feed(input, data, total, fed) }()
	samples, err := watch(cmd.Process.Pid, fed, report)
	if e := <-failed; err == nil {
		err = e
	}
	if e := cmd.Wait(); err == nil {
		err = e
	}
	return samples, err
}

// feed writes total bytes and tells how far it is, dropping what nobody waits for.
func feed(to io.WriteCloser, data []byte, total int64, fed chan<- int64) error {
	defer close(fed)
	const step = 1 << 20
	for sent := int64(0); sent < total; {
		from := int(sent % int64(len(data)))
		n, err := to.Write(data[from:min(from+step, len(data))])
		sent += int64(n)
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", sent, err)
		}
		select {
		case fed <- sent:
		default:
		}
	}
	return to.Close()
}

// perSecond is how often memory is sampled; one of so many samples is printed.
const perSecond = 5

// watch samples until feeding ends, and prints a line a second.
func watch(pid int, fed <-chan int64, report io.Writer) ([]sample, error) {
	var samples []sample
	fmt.Fprintln(report, "second  MB fed  resident MB")
	for tick := time.Tick(time.Second / perSecond); ; <-tick {
		at, more := <-fed
		if !more {
			return samples, nil
		}
		resident, err := residentOf(pid)
		if err != nil {
			return samples, err
		}
		samples = append(samples, sample{at, resident})
		if len(samples)%perSecond == 0 {
			fmt.Fprintf(report, "%6d %7d %12.1f\n", len(samples)/perSecond, at/1e6, float64(resident)/1e6)
		}
	}
}

// residentOf reads VmRSS, in bytes.
func residentOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseResident(string(status))
}

func parseResident(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("the process has no resident memory: it has ended")
}

// flat compares the middle of the first half, without its first tenth, in which
// buffers and the heap find their size, with that of the last quarter.
func flat(samples []sample, slack int64) error {
	if len(samples) < 8 {
		return fmt.Errorf("only %d samples: give more -bytes", len(samples))
	}
	n := len(samples)
	early, late := median(samples[n/10:n/2]), median(samples[n*3/4:])
	if late > early+slack {
		return fmt.Errorf("memory grows: %d MB early, %d MB late", early/1e6, late/1e6)
	}
	return nil
}

func median(samples []sample) int64 {
	all := make([]int64, len(samples))
	for i, s := range samples {
		all[i] = s.resident
	}
	slices.Sort(all)
	return all[len(all)/2]
}
