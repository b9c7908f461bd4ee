package telemetry

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServer(t *testing.T) {
	live, ready := &Health{}, &Health{}
	s, err := Serve("127.0.0.1:0", newMetrics(t), live, ready)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + s.Addr()
	kafka, alerts := ready.Add("kafka"), ready.Add("alerts")
	kafka.OK()
	code, body := get(t, base+"/readyz")
	var got healthBody
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := healthBody{"failing", []CheckStatus{{"alerts", false, "starting"}, {"kafka", true, ""}}}
	if d := cmp.Diff(want, got); code != http.StatusServiceUnavailable || d != "" {
		t.Error(code, d)
	}
	alerts.OK()
	if code, body := get(t, base+"/readyz"); code != 200 || !strings.Contains(body, `"status":"ok"`) {
		t.Error(code, body)
	}
	kafka.Fail("partition halted")
	if code, body := get(t, base+"/readyz"); code != 503 || !strings.Contains(body, "partition halted") {
		t.Error(code, body)
	}
	kafka.Remove()
	if code, _ := get(t, base+"/readyz"); code != 200 {
		t.Error(code)
	}
	if code, body := get(t, base+"/livez"); code != 200 || !strings.Contains(body, `"checks":[]`) {
		t.Error(code, body)
	}
	if code, body := get(t, base+"/metrics"); code != 200 || !strings.Contains(body, "leakveil_build_info{") || !strings.Contains(body, "go_goroutines") {
		t.Error(code, body)
	}
	if code, _ := get(t, base+"/debug/pprof/"); code != 404 {
		t.Error("profiles are served", code)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(base + "/livez"); err == nil {
		t.Error("answers after Shutdown")
	}
}

func TestServeOnATakenAddress(t *testing.T) {
	m := newMetrics(t)
	s, err := Serve("127.0.0.1:0", m, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(s.Addr(), m, nil, nil); err == nil || !strings.Contains(err.Error(), "http.listen: ") {
		t.Error(err)
	}
	if code, _ := get(t, "http://"+s.Addr()+"/readyz"); code != 200 {
		t.Error(code)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFailWithoutReasonFails(t *testing.T) {
	h := &Health{}
	c := h.Add("a")
	c.Fail("")
	if ok, _ := h.Status(); ok {
		t.Error("a failed check is well")
	}
}
