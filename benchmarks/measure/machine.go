package measure

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Rate is MB (10^6 bytes) per second.
func Rate(bytes int64, spent time.Duration) float64 {
	return float64(bytes) / 1e6 / max(spent, time.Nanosecond).Seconds()
}

// Machine lists what figures depend on. more are what a program adds.
func Machine(leakveil string, more ...string) []string {
	return append([]string{
		"CPU: " + fieldOf("/proc/cpuinfo", "model name") + fmt.Sprintf(", %d cores seen", runtime.NumCPU()),
		"memory: " + fieldOf("/proc/meminfo", "MemTotal"),
		"kernel: " + Output("uname", "-sr"),
		"Go: " + runtime.Version() + " (this tool)",
		"leakveil: " + Output(leakveil, "version"),
		"libhs: " + Output("pkg-config", "--modversion", "libhs"),
		"load before: " + strings.TrimSpace(readAll("/proc/loadavg")),
	}, more...)
}

func readAll(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return string(b)
}

// fieldOf reads "name : value" from a file of /proc.
func fieldOf(path, name string) string {
	for line := range strings.Lines(readAll(path)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// Output is the first line that a program prints.
func Output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return firstLine(out)
}

// WriteReport writes dir/DATE-NAME.md: a title, the body, the machine and the
// commands. It returns the path.
func WriteReport(dir, name, body string, machine, commands []string) (string, error) {
	date := time.Now().UTC().Format(time.DateOnly)
	var out strings.Builder
	fmt.Fprintf(&out, "# %s, %s\n\n%s\n## Machine\n\n", name, date, body)
	for _, line := range machine {
		out.WriteString("- " + line + "\n")
	}
	out.WriteString("\n## Commands\n\n```\n" + strings.Join(commands, "\n") + "\n```\n")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, date+"-"+name+".md")
	return path, os.WriteFile(path, []byte(out.String()), 0o644)
}
