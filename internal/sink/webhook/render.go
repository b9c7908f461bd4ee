package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/leakveil/leakveil/internal/sink/field"
)

// maxBody bounds what a template makes of one alert.
const maxBody = 256 << 10

func marshal(message func(field.Record) any) render {
	return func(r field.Record, _ string) ([]byte, error) { return encode(message(r)) }
}

// encode writes JSON without HTML escapes: chat tools show them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// fact is a line of a message.
type fact struct{ name, value string }

// facts are what a person needs first; values are cut to fit chat tools.
func facts(r field.Record) (out []fact) {
	client := r.Text("leakveil.client.id")
	if client == "" && r.Has("leakveil.client.candidates") {
		client = "one of " + strings.Join(r.List("leakveil.client.candidates"), ", ")
	}
	for _, f := range []fact{
		{"severity", r.Severity()}, {"client", client}, {"found by", r.Text("leakveil.client.how")},
		{"confidence", r.Text("leakveil.confidence")}, {"detections", r.Text("leakveil.count")},
		{"services", strings.Join(r.List("service.name"), ", ")}, {"region", r.Text("cloud.region")},
		{"from", r.Text("event.start")}, {"until", r.Text("event.end")},
		{"topic", r.Text("leakveil.where.topic")}, {"file", r.Text("leakveil.where.file")},
		{"alert", r.Text("event.id")}, {"what to do", r.Text("leakveil.advice.text")}, {"reason", r.Text("event.reason")},
	} {
		if f.value != "" {
			out = append(out, fact{f.name, field.Cut(f.value, 400)})
		}
	}
	return out
}

// lines are the facts, each value as code: there, chat tools mention nobody and
// make no links. code makes a value code.
func lines(r field.Record, code func(string) string) string {
	var b strings.Builder
	for _, f := range facts(r) {
		b.WriteString("\n" + f.name + ": " + code(f.value))
	}
	return b.String()
}

var (
	backtick  = strings.NewReplacer("`", "'")
	slackText = strings.NewReplacer("`", "'", "&", "&amp;", "<", "&lt;", ">", "&gt;")
)

func slack(r field.Record) any {
	return map[string]any{"text": "*" + slackText.Replace(r.Title()) + "*" +
		lines(r, func(s string) string { return "`" + slackText.Replace(s) + "`" })}
}

// discord takes at most 2,000 characters.
func discord(r field.Record) any {
	text := "**" + backtick.Replace(r.Title()) + "**" + lines(r, func(s string) string { return "`" + backtick.Replace(s) + "`" })
	return map[string]any{"content": field.Cut(text, 2000), "allowed_mentions": map[string]any{"parse": []string{}}}
}

// teams makes an adaptive card of text runs, which are shown as they are.
func teams(r field.Record) any {
	run := func(text string, bold bool) map[string]any {
		one := map[string]any{"type": "TextRun", "text": text}
		if bold {
			one["weight"] = "bolder"
		}
		return map[string]any{"type": "RichTextBlock", "inlines": []any{one}}
	}
	body := []any{run(r.Title(), true)}
	for _, f := range facts(r) {
		body = append(body, run(f.name+": "+f.value, false))
	}
	return map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"content": map[string]any{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
		},
	}}}
}

var pagerDutySeverity = map[string]string{"critical": "critical", "high": "error", "medium": "warning", "low": "info", "info": "info"}

// pagerDuty makes an event of the Events API v2: updates of an alert have its key.
func pagerDuty(r field.Record, key string) ([]byte, error) {
	source := r.Text("leakveil.where.topic")
	if services := r.List("service.name"); len(services) > 0 {
		source = services[0]
	}
	if source == "" {
		source = "leakveil"
	}
	payload := map[string]any{
		"summary": field.Cut(r.Summary(), 1024), "source": field.Cut(source, 255), "severity": pagerDutySeverity[r.Severity()],
		"timestamp": r.Time("@timestamp").Format(time.RFC3339Nano), "component": "leakveil", "custom_details": json.RawMessage(r.Raw),
	}
	if kind := r.Text("leakveil.kind"); kind != "" {
		payload["class"] = kind
	}
	return encode(map[string]any{
		"routing_key": key, "event_action": "trigger", "dedup_key": r.Text("event.id"), "payload": payload,
	})
}

// view is what a template sees.
type view struct{ field.Record }

// newTemplate makes a renderer of a text/template. In it, {{.Text "path"}} is a
// field's value, {{.List "path"}} all of them, .Title, .Summary, .Severity and .ID
// are texts, and {{… | json}} writes a value as JSON. It is tried on a sample, so
// that a mistake is found at the start.
func newTemplate(text string, isJSON bool) (render, error) {
	if text == "" {
		return nil, errors.New("template: is empty")
	}
	t, err := template.New("body").Option("missingkey=error").Funcs(template.FuncMap{
		"json": func(v any) (string, error) {
			out, err := encode(v)
			return string(out), err
		},
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	render := func(r field.Record, _ string) ([]byte, error) {
		var b bytes.Buffer
		if err := t.Execute(&limited{&b, maxBody}, view{r}); err != nil {
			return nil, errors.New("template: does not render")
		}
		if isJSON && !json.Valid(b.Bytes()) {
			return nil, errors.New("template: does not make JSON")
		}
		return b.Bytes(), nil
	}
	sample, err := field.Parse([]byte(sampleDocument))
	if err != nil {
		return nil, err
	}
	if _, err := render(sample, ""); err != nil {
		return nil, err
	}
	return render, nil
}

// sampleDocument has text that breaks a template which does not escape, in every
// field whose text comes from records.
const (
	hostile        = `a\"b\\c\nd`
	hostilePlace   = `{"topic":"` + hostile + `","file":"` + hostile + `","field":"` + hostile + `"}`
	sampleDocument = `{"@timestamp":"2026-01-01T00:00:00.000Z","event":{"module":"leakveil","id":"AAAAAAAAAAAAAAAAAAAAAA","severity":47},` +
		`"service":{"name":["` + hostile + `"]},"cloud":{"region":"` + hostile + `"},"leakveil":{"kind":"code_verifier","excerpt":"` + hostile + `",` +
		`"client":{"id":"` + hostile + `","candidates":["` + hostile + `"]},"where":` + hostilePlace + `,"last_where":` + hostilePlace + `,` +
		`"digest":{"clients":["` + hostile + `"]},"alert":{"id":"AAAAAAAAAAAAAAAAAAAAAA","sequence":1}}}`
)

// limited is a writer with an end.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errors.New("too long")
	}
	return l.to.Write(p)
}
