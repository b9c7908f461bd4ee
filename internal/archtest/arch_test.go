package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	module   = "github.com/leakveil/leakveil/"
	root     = "../.."
	maxLines = 400
)

// arrows lists, for each package or folder, what of ours it may import. The
// first entry that fits the package holds.
var arrows = []struct {
	from string
	to   []string
}{
	{"rules", nil},
	{"internal/layer", nil},
	{"internal/event", nil},
	{"internal/archtest", nil},
	{"internal/config", []string{"rules"}},
	{"internal/harden", nil},
	{"internal/linefile", nil},
	{"internal/dbcache", nil},
	{"internal/freeport", nil},
	{"internal/telemetry", nil},
	{"internal/kafkatest", []string{"internal/freeport"}},
	{"internal/kafka/recordbatch", nil},
	{"redact", []string{"rules", "internal/layer"}},
	{"detect", []string{"rules", "internal/layer"}},
	{"internal/alert", []string{"internal/event", "internal/excerpt"}},
	{"internal/notify", nil},
	{"internal/excerpt", nil},
	{"internal/advice", nil},
	{"internal/outbox/outboxtest", []string{"internal/outbox"}},
	{"internal/outbox", nil},
	{"internal/store", []string{"internal/alert", "internal/notify", "internal/outbox", "internal/outbox/outboxtest"}},
	{"internal/sink/field", nil},
	{"internal/sink/sinktest", []string{"internal/alert", "internal/event", "internal/sink", "internal/sink/field"}},
	{"internal/sink/transport", []string{"internal/sink"}},
	{"internal/sink/build", []string{
		"internal/kafka", "internal/sink", "internal/sink/alertmanager", "internal/sink/elastic", "internal/sink/file", "internal/sink/format",
		"internal/sink/kafka", "internal/sink/otlp",
		"internal/sink/splunkhec", "internal/sink/syslog", "internal/sink/transport", "internal/sink/webhook",
	}},
	{"internal/sink/kafka", []string{"internal/kafka", "internal/kafka/recordbatch", "internal/sink", "internal/sink/field"}},
	{"internal/sink/format", []string{"internal/sink", "internal/sink/field"}},
	{"internal/sink/otlp/record", []string{"internal/sink/field"}},
	{"internal/sink/backend", []string{"internal/freeport"}},
	{"internal/content", []string{"internal/alert", "internal/sink/field"}},
	{"internal/sink", []string{"internal/alert", "internal/linefile", "internal/outbox", "internal/sink", "internal/sink/field", "internal/sink/format", "internal/sink/otlp/record", "internal/sink/transport"}},
	{"internal/feed", []string{"internal/alert", "internal/event", "internal/outbox", "internal/sink"}},
	{"internal/client", []string{"detect", "internal/event", "rules"}},
	{"internal/suppress", []string{"rules", "detect", "redact"}},
	{"internal/pipeline", []string{"rules", "detect", "redact", "internal/client", "internal/event", "internal/layer", "internal/notify", "internal/suppress"}},
	{"internal/carry", []string{"detect", "internal/event"}},
	{"internal/lines", []string{"internal/carry", "internal/pipeline", "detect", "redact"}},
	{"internal/otlpnet/otlpnettest", []string{"internal/freeport", "internal/otlpnet"}},
	{"internal/otlpnet", nil},
	{"internal/gateway", []string{"internal/event", "internal/kafka", "internal/kafka/recordbatch", "internal/otlp"}},
	{"internal/otlp", []string{"rules", "detect", "redact", "internal/client", "internal/event", "internal/pipeline", "internal/notify", "internal/excerpt"}},
	{"internal/scan", []string{"rules", "detect", "redact", "internal/event", "internal/lines", "internal/pipeline", "internal/suppress"}},
	{"internal/rulecheck", []string{"rules", "detect", "redact", "internal/client", "internal/event", "internal/pipeline"}},
	{"internal/kafka", []string{"detect", "internal/event", "internal/kafka/recordbatch"}},
	{"processor/internal/metadata", nil},
	{"processor/internal/storagebox", []string{"internal/outbox", "internal/outbox/outboxtest"}},
	{"processor/internal/hub", []string{"internal/event"}},
	{"processor/leakveilconnector", []string{"internal/event", "internal/otlp", "internal/alert", "processor", "processor/internal/hub"}},
	{"processor", []string{"internal/dbcache",
		"rules", "detect", "redact", "internal/event", "internal/pipeline", "internal/otlp", "internal/alert", "internal/suppress",
		"internal/feed", "internal/outbox", "internal/sink", "internal/sink/file", "internal/sink/format", "internal/sink/otlp", "internal/sink/transport",
		"internal/sink/webhook", "processor/internal/metadata", "processor/internal/hub", "processor/internal/storagebox",
	}},
	{"deploy/collector", nil},
	{"benchmarks/corpus", []string{"rules"}},
	{"benchmarks/siemdemo", []string{"benchmarks/corpus", "rules"}},
	{"benchmarks/kafkademo", []string{"benchmarks/corpus", "internal/kafka", "internal/kafka/recordbatch"}},
	{"benchmarks", []string{"benchmarks/corpus", "benchmarks/measure", "benchmarks/requests", "rules", "detect", "redact", "internal/pipeline"}},
	{"internal/app", []string{
		"internal/dbcache", "rules", "detect", "redact", "internal/event", "internal/excerpt", "internal/pipeline", "internal/client", "internal/alert", "internal/kafka",
		"internal/kafka/recordbatch", "internal/config", "internal/linefile", "internal/suppress", "internal/telemetry", "internal/gateway", "internal/otlp",
		"internal/feed", "internal/notify", "internal/otlpnet", "internal/outbox", "internal/sink", "internal/sink/build", "internal/sink/transport", "internal/store",
	}},
	{"cmd", []string{
		"rules", "detect", "redact", "benchmarks/corpus", "internal/advice", "internal/app", "internal/alert", "internal/config",
		"internal/dbcache", "internal/event", "internal/excerpt", "internal/harden", "internal/lines", "internal/pipeline", "internal/rulecheck", "internal/scan",
		"internal/sink", "internal/sink/field", "internal/store", "internal/suppress", "internal/telemetry",
	}},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := allowedFor(from)
		if !known {
			t.Errorf("%s: say in arrows what it may import", from)
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !within(to, from) && !anyWithin(to, allowed) {
				t.Errorf("%s imports %s, which DESIGN does not allow", from, to)
			}
		}
	}
}

func allowedFor(from string) ([]string, bool) {
	for _, a := range arrows {
		if within(from, a.from) {
			return a.to, true
		}
	}
	return nil, false
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func anyWithin(path string, folders []string) bool {
	for _, f := range folders {
		if path == f {
			return true
		}
	}
	return false
}

// Collectors build the processor in: nothing of what leakveil run needs may come with it.
func TestTheProcessorReachesNoServer(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./processor/...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	reached := strings.Fields(string(out))
	for _, banned := range []string{
		"github.com/segmentio/kafka-go", "github.com/twmb/franz-go", "github.com/spf13/viper", "github.com/spf13/cobra",
		module + "internal/app", module + "internal/config", module + "internal/kafka", module + "internal/otlpnet", module + "internal/gateway", module + "cmd",
	} {
		for _, path := range reached {
			if within(path, banned) {
				t.Errorf("the processor reaches %s", path)
			}
		}
	}
	if len(reached) < 50 || !anyWithin(module+"processor", reached) {
		t.Errorf("only %d packages were listed", len(reached))
	}
}

// sources calls fn for each Go file of the module; those in bin are generated.
func sources(t *testing.T, fn func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "bin"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(p) != ".go":
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil {
			fn(p, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreShort(t *testing.T) {
	sources(t, func(path string, text []byte) {
		if n := bytes.Count(text, []byte("\n")); n > maxLines {
			t.Errorf("%s: %d lines, more than %d", path, n, maxLines)
		}
	})
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	documented := map[string]bool{}
	sources(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		dir := filepath.Dir(path)
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		documented[dir] = documented[dir] || file.Doc != nil &&
			(strings.HasPrefix(file.Doc.Text(), "Package ") || strings.HasPrefix(file.Doc.Text(), "Command "))
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no file opens with a package comment", dir)
		}
	}
}

// The public packages are a library: they never print, log or open connections.
func TestLibraryIsSilent(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name != "rules" && name != "detect" && name != "redact" {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "log" || imported == "net" || imported == "net/http" || imported == "os/exec" {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}
