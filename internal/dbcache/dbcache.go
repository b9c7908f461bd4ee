// Package dbcache keeps compiled rule databases in files of the user's cache
// folder, so that short runs need not compile them again, and in the process's memory. It must never make a
// run fail, and never hand out a file that somebody else could have written.
package dbcache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	suffix  = ".hsdb"
	maxFile = 64 << 20
	// keep is how many databases stay: each set of rules and each release has its own.
	keep = 8
)

// Folder is a cache in a folder. The zero Folder keeps nothing.
type Folder struct{ path string }

// Default returns the folder leakveil below the user's cache folder.
func Default() Folder {
	user, err := os.UserCacheDir()
	if err != nil {
		return Folder{}
	}
	return In(filepath.Join(user, "leakveil"))
}

// In returns a cache in the folder, which is made when something is stored.
func In(path string) Folder { return Folder{path} }

// Load returns what is stored under key, or nil: when there is nothing, when it
// is damaged, or when others can write to the file or the folder.
func (f Folder) Load(key string) []byte {
	if f.path == "" || !private(f.path) {
		return nil
	}
	file, err := os.Open(f.file(key))
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile || !ours(info) {
		return nil
	}
	data, err := io.ReadAll(file)
	if err != nil || len(data) < sha256.Size {
		return nil
	}
	sum, data := data[:sha256.Size], data[sha256.Size:]
	if have := sha256.Sum256(data); !bytes.Equal(have[:], sum) {
		return nil
	}
	return data
}

// Store keeps data under key. When that fails the next run compiles again.
func (f Folder) Store(key string, data []byte) {
	if f.path == "" || os.MkdirAll(f.path, 0o700) != nil || !private(f.path) {
		return
	}
	sum := sha256.Sum256(data)
	if err := f.write(f.file(key), append(sum[:], data...)); err == nil {
		f.prune()
	}
}

// write puts a file in place as a whole.
func (f Folder) write(path string, data []byte) error {
	tmp, err := os.CreateTemp(f.path, "new-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

// prune removes all but the newest databases.
func (f Folder) prune() {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), suffix) {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for _, old := range files[min(keep, len(files)):] {
		_ = os.Remove(filepath.Join(f.path, old.Name()))
	}
}

func (f Folder) file(key string) string { return filepath.Join(f.path, key+suffix) }

// private reports whether path is a folder that nobody else can write to.
func private(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() && ours(info)
}

// ours reports whether the file is this user's and writable by nobody else.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
