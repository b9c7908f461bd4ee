package otlp

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/internal/event"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// No byte of a secret is in an excerpt; traffic of tests is marked.
func TestExcerptsAndTraffic(t *testing.T) {
	for name, policy := range map[string]redact.Policy{
		"mask": nil, "report": {rules.AccessToken: redact.ActionReport, rules.CodeVerifier: redact.ActionReport},
	} {
		m := testMasker(t, func(o *Options) {
			o.Excerpts, o.Pipeline.Policy = true, policy
			o.Synthetic, o.SyntheticValue = "deployment.environment", "test"
			o.Mark = func(d *event.Detection) {
				if d.Client.ID == "probe" {
					d.Traffic = event.Synthetic
				}
			}
		})
		secrets := []string{secret(), secret(), secret()}
		ld := plog.NewLogs()
		for _, environment := range []string{"prod", "test"} {
			rl := ld.ResourceLogs().AppendEmpty()
			rl.Resource().Attributes().PutStr("deployment.environment", environment)
			logs := rl.ScopeLogs().AppendEmpty().LogRecords()
			logs.AppendEmpty().Body().SetStr("client_id=spa code_verifier=" + secrets[0] + " access_token=" + secrets[1])
			second := logs.AppendEmpty()
			second.Body().SetStr("client_id=probe")
			second.Attributes().PutStr("code_verifier", secrets[2])
		}
		out, err := m.Logs(ld)
		if err != nil {
			t.Fatal(err)
		}
		with, synthetic := 0, 0
		for _, d := range out.Detections {
			if d.Traffic == event.Synthetic {
				synthetic++
			}
			if d.Excerpt == "" {
				continue
			}
			with++
			for _, s := range secrets {
				for i := 0; i+6 <= len(s); i++ {
					if strings.Contains(d.Excerpt, s[i:i+6]) {
						t.Fatalf("%s: a part of a secret is in %s", name, d.Excerpt)
					}
				}
			}
			if !strings.Contains(d.Excerpt, d.Fingerprint) || len(d.Excerpt) > 200 {
				t.Errorf("%s: %q", name, d.Excerpt)
			}
		}
		if len(out.Detections) != 6 || synthetic != 4 || with != map[string]int{"mask": 6, "report": 0}[name] {
			t.Errorf("%s: %d detections, %d with excerpts, %d synthetic", name, len(out.Detections), with, synthetic)
		}
	}
}
