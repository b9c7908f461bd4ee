package client

import (
	"bytes"

	"github.com/leakveil/leakveil/detect"
)

// serviceKeys are the names under which a record says which service wrote it,
// the surest first: OpenTelemetry's, the usual ones, Kubernetes' labels.
var serviceKeys = []string{
	"service.name", "service_name", "app.kubernetes.io/name", "app.kubernetes.io/instance", "k8s-app", "service", "app",
}

// maxService bounds a service's name.
const maxService = 128

// Service returns the name of the service that wrote the record, or "".
func Service(record []byte) string { return named(record, serviceKeys) }

// Region returns the cloud region that the record names (OpenTelemetry's
// cloud.region), or "".
func Region(record []byte) string { return named(record, regionKeys) }

var regionKeys = []string{"cloud.region", "cloud_region"}

func named(record []byte, keys []string) string {
	for _, key := range keys {
		for p := 0; ; {
			n := bytes.Index(record[p:], []byte(key))
			if n < 0 {
				break
			}
			start := p + n
			p = start + len(key)
			if !detect.WordAt(record, start) {
				continue
			}
			pair, ok := detect.PairAt(record, p, "unreserved")
			if !ok || pair.Prose {
				continue
			}
			if name := record[pair.Start:pair.End]; len(name) <= maxService && !detect.Placeholder(name) && !bytes.HasPrefix(name, []byte("REDACTED.")) && !bytes.HasPrefix(name, []byte("HASHED.")) {
				return string(name)
			}
		}
	}
	return ""
}
