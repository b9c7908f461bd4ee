package redact_test

import (
	"fmt"
	"strings"

	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

// A span, as detection gives it, becomes a mask; the rest of the line stays.
func Example() {
	key, err := redact.NewKey("k1", []byte(strings.Repeat("not a key to use ", 2)))
	if err != nil {
		fmt.Println(err)
		return
	}
	line := []byte("GET /cb?state=xyz&code=SplxlOBeZQQYbYS6WxSbIA HTTP/1.1")
	span := redact.Span{Start: 23, End: 45, Blob: 23, Kind: rules.AuthorizationCode}
	span.Fingerprint = redact.NewFingerprinter(key).Of(line[span.Start:span.End])

	masked, err := redact.NewRedactor(nil, key.ID()).Apply(nil, line, []redact.Span{span}, false)
	if err != nil {
		fmt.Println("withhold the record:", err)
		return
	}
	fmt.Println(string(masked))
	// Output: GET /cb?state=xyz&code=REDACTED.authorization_code.k1.YNlwm8sOyZMEkvvcxuIbIg HTTP/1.1
}
