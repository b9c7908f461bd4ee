package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/leakveil/leakveil/internal/lines"
)

// replaceable refuses to put a file in the place of what is none. It must be
// asked before opening, which waits at a named pipe.
func (r *redactCommand) replaceable(name string) error {
	if !r.inPlace {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("%w: %w", lines.ErrInput, err)
	}
	if !info.Mode().IsRegular() {
		return wrongUse(fmt.Errorf("--in-place: %s is no regular file; it stays as it is", name))
	}
	return nil
}

// replace writes the masked file beside the original and renames it, so that
// the original is whole until its successor is on disk. A clean file stays as it
// is, with its inode and times.
func (r *redactCommand) replace(src io.Reader, name string) (err error) {
	name, err = filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("%w: %w", lines.ErrInput, err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("%w: %w", lines.ErrInput, err)
	}
	out, err := createBeside(name)
	if err != nil {
		return fmt.Errorf("%w: %w", lines.ErrOutput, err)
	}
	defer removeOnSignal(out.path)()
	kept := false
	defer func() {
		if !kept {
			_ = out.Close()
			_ = os.Remove(out.path())
		}
	}()
	before := r.total
	if err = r.copy(out, src); err != nil {
		return err
	}
	if r.total.Findings == before.Findings && r.total.Withheld == before.Withheld {
		return nil
	}
	if err = errors.Join(keepOwner(out.File, info), out.Chmod(info.Mode().Perm()), out.Sync()); err != nil {
		return fmt.Errorf("%w: %s stays as it was: %w", lines.ErrOutput, name, err)
	}
	if now, err := os.Stat(name); err != nil || !os.SameFile(now, info) || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
		// Renaming would throw away what another process has just written.
		return fmt.Errorf("%w: %s changed while it was read; it stays as it was", lines.ErrInput, name)
	}
	if err = errors.Join(out.link(), out.Close()); err == nil {
		err = os.Rename(out.path(), name)
	}
	if err != nil {
		return fmt.Errorf("%w: %s stays as it was: %w", lines.ErrOutput, name, err)
	}
	kept = true
	return nil
}

// beside is a file in the folder of another, whose place it is to take. Where the system
// can, it has no name before link: whatever ends the program leaves nothing behind.
type beside struct {
	*os.File
	name atomic.Pointer[string] // "" until it has one
	dir  string
}

func (b *beside) path() string {
	if name := b.name.Load(); name != nil {
		return *name
	}
	return ""
}

func (b *beside) setPath(name string) { b.name.Store(&name) }

// createBeside makes one.
func createBeside(name string) (*beside, error) {
	dir := filepath.Dir(name)
	if file := unnamed(dir); file != nil {
		return &beside{File: file, dir: dir}, nil
	}
	file, err := os.CreateTemp(dir, ".leakveil-*")
	if err != nil {
		return nil, err
	}
	b := &beside{File: file, dir: dir}
	b.setPath(file.Name())
	return b, nil
}

// link gives the file a name, for the moment until it is renamed.
func (b *beside) link() error {
	if b.path() != "" {
		return nil
	}
	name := filepath.Join(b.dir, ".leakveil-"+rand.Text())
	b.setPath(name)
	return linkUnnamed(b.File, name)
}

// removeOnSignal removes the file, by the name that it then has, when a signal ends the
// program, until stop.
func removeOnSignal(path func() string) (stop func()) {
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as under nohup
			signal.Notify(signals, s)
		}
	}
	stopped := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			_ = os.Remove(path())
			// End by the same signal, so that the shell sees what happened.
			signal.Reset(s)
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(s)
			}
		case <-stopped:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(stopped)
	}
}

// apart refuses to read what it writes: findings in the place of an input or a
// key would destroy it, and an output that is an input would never end.
func (r *redactCommand) apart(stdin io.Reader, files []string) error {
	findings := regular(os.Stat(r.findings))
	output := statOf(r.stdout)
	for _, name := range files {
		input := statOf(stdin)
		if name != "-" {
			input = regular(os.Stat(name))
		}
		switch {
		case input == nil:
		case findings != nil && os.SameFile(input, findings):
			return fmt.Errorf("--findings %s: this is also an input; choose another name", r.findings)
		case output != nil && os.SameFile(input, output):
			return fmt.Errorf("%s is both input and output; write to another file, or use --in-place", shownInput(name))
		}
	}
	if findings == nil {
		return nil
	}
	if output != nil && os.SameFile(findings, output) {
		return fmt.Errorf("--findings %s: standard output goes there as well; choose another name", r.findings)
	}
	for _, arg := range r.keys.files {
		_, path := keyID(arg)
		if key := regular(os.Stat(path)); key != nil && os.SameFile(key, findings) {
			return fmt.Errorf("--findings %s: this is the key file; choose another name", r.findings)
		}
	}
	return nil
}

func shownInput(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// statOf is about a stream's regular file; nil for pipes, terminals and devices.
func statOf(stream any) os.FileInfo {
	file, ok := stream.(*os.File)
	if !ok {
		return nil
	}
	return regular(file.Stat())
}

func regular(info os.FileInfo, err error) os.FileInfo {
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}
