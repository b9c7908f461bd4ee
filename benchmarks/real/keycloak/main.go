// Command keycloak drives a running Keycloak through its OAuth flows and then proves
// that no secret which it sent or got is left in the server's log after leakveil. It
// must never print a secret, nor be pointed at a Keycloak that people use: it makes a
// realm.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"time"
)

func main() {
	base := flag.String("base", "http://127.0.0.1:18180", "Keycloak's address")
	log := flag.String("log", "", "the file that Keycloak writes its log to")
	leakveil := flag.String("leakveil", "bin/leakveil", "the program to prove")
	flag.Parse()
	if err := run(*base, *log, *leakveil, os.Getenv("KC_BOOTSTRAP_ADMIN_PASSWORD")); err != nil {
		fmt.Fprintln(os.Stderr, "keycloak:", err)
		os.Exit(1)
	}
}

// run drives the flows, redacts the log and counts what is left.
func run(base, logFile, leakveil, password string) error {
	d := &driver{base: base, secrets: map[string]string{}}
	if err := d.wait(10 * time.Minute); err != nil {
		return err
	}
	if err := d.all(password); err != nil {
		return err
	}
	log, err := settled(logFile)
	if err != nil {
		return err
	}
	cmd := exec.Command(leakveil, "redact", "--no-cache")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(log), os.Stderr
	masked, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s redact: %w", leakveil, err)
	}
	return judge(log, masked, d.secrets)
}

// settled reads the log once a second passed without a new byte.
func settled(file string) ([]byte, error) {
	last := -1
	for {
		b, err := os.ReadFile(file)
		if err != nil || len(b) == last {
			return b, err
		}
		last = len(b)
		time.Sleep(time.Second)
	}
}

// nameless are lines in which a value stands without any name, so that nothing tells
// it from other values: those bound to statements of SQL, and keys of a cache.
var nameless = [][]byte{[]byte("binding parameter ("), []byte("Adding cache operation: ")}

func isNameless(line []byte) bool {
	for _, mark := range nameless {
		if bytes.Contains(line, mark) {
			return true
		}
	}
	return false
}

// judge counts each secret in the log before and after, by kind.
func judge(log, masked []byte, secrets map[string]string) error {
	before, after := bytes.Split(log, []byte("\n")), bytes.Split(masked, []byte("\n"))
	if len(before) != len(after) {
		return fmt.Errorf("%d lines came out of %d", len(after), len(before))
	}
	seen, left := map[string]int{}, map[string]int{}
	total, missed := 0, 0
	for i, line := range before {
		if isNameless(line) {
			continue
		}
		for value, kind := range secrets {
			if n := bytes.Count(line, []byte(value)); n > 0 {
				seen[kind] += n
				total += n
				m := bytes.Count(after[i], []byte(value))
				left[kind] += m
				missed += m
			}
		}
	}
	kinds := make([]string, 0, len(seen))
	for kind := range seen {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	for _, kind := range kinds {
		fmt.Printf("%-20s %5d in the log, %d left\n", kind, seen[kind], left[kind])
	}
	fmt.Printf("%d lines, %d secrets known, %d of %d occurrences masked\n", len(before), len(secrets), total-missed, total)
	switch {
	case total < 50:
		return errors.New("the log holds hardly any secret: is it at TRACE?")
	case missed > 0:
		return fmt.Errorf("%d occurrences are left", missed)
	}
	return nil
}
