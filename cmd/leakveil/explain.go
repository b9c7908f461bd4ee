package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// checkMeanings says for people what each check does.
var checkMeanings = map[string]string{
	"pkce":          "43 to 128 unreserved characters, as RFC 7636 wants, make it certain",
	"plain":         "only where the challenge is its own verifier: method plain, or none",
	"jwt":           "a compact JWS or JWE whose header decodes",
	"basic":         "base64 of user:password",
	"github_crc":    "the last six characters are the checksum of the others",
	"random":        "looks drawn at random, or has a known format",
	"not_words":     "is not made of plain words",
	"neighbours":    "needs randomness, or another OAuth parameter beside it",
	"password":      "stands in a password grant",
	"scheme_value":  "a credential, not prose, follows the scheme",
	"request_uri":   "a reference to a pushed authorization request",
	"unlike_words":  "what stands behind the prefix is not made of words",
	"curl_user":     "is the password in curl -u user:password",
	"user_password": "is the password in a quoted user:password, and looks random",
	"bare_key":      "stands under the bare name, not under a longer one",
	"not_in_blob":   "is no part of a longer piece of base64",
	"last_part":     "what stands behind the last dot looks drawn at random",
	"entra":         "has the segments of Microsoft Entra's codes and refresh tokens",
	"entra_secret":  "is as long as Microsoft Entra's client secrets",
	"salesforce":    "is an organisation's id, an exclamation mark and a session",
	"signed_value":  "is an id and an HMAC-SHA256 in base64, joined by a dot",
	"user_code":     "letters and digits in groups, not prose",
	"cookie":        "is no word, number or setting",
	"url_password":  "is the password of a URL of the web, and looks random",
	"go_config":     "is the secret of a Go OAuth client's configuration, with its URLs behind it",
	"bare_cookie":   "a cookie among others, or with its attributes, without a header's name",
	"cache_key":     "the key of a session or a token in a module's cache",
	"not_prose":     "is no word of a sentence behind a colon",
	"cas_ticket":    "a number and a random part stand behind a prefix of CAS",
	"saml":          "base64 of an XML document, deflated or not",
}

func rulesExplain() *cobra.Command {
	var text textFlag
	cmd := onRules(&cobra.Command{
		Use:   "explain ID | --text LINE",
		Short: "Tell everything about one rule, or how a line is judged",
		Long: `Tell what a rule finds and how: its keys, the expressions made from them, its
checks and references, and its examples filled with random values.

With --text, tell how a line is judged (- reads standard input, several lines, at
most 1 MiB): each trigger that fired, its key and glue, the bounds of the value,
every check with its answer, the score in bits, and the verdict. No value is shown.`,
		Example: `  leakveil rules explain pkce-verifier
  leakveil rules explain --text 'POST /token code_verifier=abc'
  grep -F 'promo_code' app.log | leakveil rules explain --text -`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			set, err := rules.Default()
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var ids []string
			for _, r := range set.Rules {
				ids = append(ids, r.ID)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}, func(cmd *cobra.Command, set *rules.Set, args []string) error {
		if cmd.Flags().Changed("text") {
			if len(args) > 0 {
				return wrongUse(errors.New("a rule's id and --text are two questions: ask one"))
			}
			return text.explain(cmd, set)
		}
		if len(args) == 0 {
			return wrongUse(errors.New("accepts 1 arg, a rule's id, or --text LINE"))
		}
		r := set.Rule(args[0])
		if r == nil {
			return wrongUse(fmt.Errorf("no rule %q%s", args[0], suggest(set, args[0])))
		}
		told, err := explain(r)
		if err != nil {
			return wrongUse(err)
		}
		_, err = io.WriteString(cmd.OutOrStdout(), told)
		return err
	})
	text.add(cmd)
	return cmd
}

// suggest lists the rules whose ids hold a word of the one asked for.
func suggest(set *rules.Set, id string) string {
	var near []string
	for _, r := range set.Rules {
		for _, word := range strings.FieldsFunc(id, func(c rune) bool { return c == '-' || c == '_' }) {
			if strings.Contains(r.ID, strings.ToLower(word)) {
				near = append(near, r.ID)
				break
			}
		}
	}
	if len(near) == 0 {
		return " (leakveil rules list shows all)"
	}
	return "; did you mean " + strings.Join(near, ", ") + "?"
}

// explain tells about a rule in prose.
func explain(r *rules.Rule) (string, error) {
	var out strings.Builder
	what := string(r.Kind)
	if r.Role != rules.RoleSecret {
		what = fmt.Sprintf("a public fact (role %s)", r.Role)
	} else {
		what += ", severity " + string(r.Severity)
	}
	fmt.Fprintf(&out, "%s: %s\n%s\nFrom %s, line %d.\n\n", r.ID, what, r.Description, r.File, r.Line)
	explainTriggers(&out, r)
	count, err := triggerCount(r)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&out, "Expressions made from these: %d.\n\n", count)
	explainValue(&out, r)
	for _, reference := range r.References {
		fmt.Fprintf(&out, "See %s.\n", reference)
	}
	for _, group := range []struct {
		title    string
		examples []rules.Example
	}{{"Found, for example", r.Examples}, {"Not found, for example", r.Negatives}} {
		if err := explainExamples(&out, group.title, group.examples); err != nil {
			return "", fmt.Errorf("%s:%d: rule %q: %w", r.File, r.Line, r.ID, err)
		}
	}
	return out.String(), nil
}

func explainTriggers(out *strings.Builder, r *rules.Rule) {
	for _, group := range []struct {
		what   string
		values []string
	}{
		{"Keys, in every spelling (snake, camel, kebab, upper case, dotted)", r.Keys},
		{"Weak keys, which need an exact glue and a proof beside them", r.WeakKeys},
		{"Names, in exactly this spelling", r.Names},
		{"Prefixes of the value", r.Prefixes},
		{"Functions whose traces tell it", r.Traces},
		{"Leads to values without names", r.Binds},
		{"Keys that hold cookies", r.Jars},
		{"Authentication schemes before the value", r.Schemes},
		{"Shapes of the whole value, with nothing beside it", r.Shapes},
	} {
		if len(group.values) > 0 {
			fmt.Fprintf(out, "%s: %s.\n", group.what, strings.Join(group.values, ", "))
		}
	}
}

// triggerCount compiles the rule alone.
func triggerCount(r *rules.Rule) (int, error) {
	db, err := detect.Compile(&rules.Set{Rules: []rules.Rule{*r}}, r.Role)
	if err != nil {
		return 0, err
	}
	return len(db.Triggers()), nil
}

func explainValue(out *strings.Builder, r *rules.Rule) {
	fmt.Fprintf(out, "The value: %d to %d bytes of %s. A longer one is found whole.\n", r.Value.Min, r.Value.Max, r.Value.Alphabet)
	for _, check := range r.Checks {
		fmt.Fprintf(out, "Check %s: %s.\n", check, checkMeanings[check])
	}
	for _, group := range []struct {
		what   string
		values []string
	}{
		{"are", r.Suppress.Exact}, {"start with", r.Suppress.StartsWith}, {"end with", r.Suppress.EndsWith},
	} {
		if len(group.values) > 0 {
			fmt.Fprintf(out, "Never values that %s: %s.\n", group.what, strings.Join(group.values, ", "))
		}
	}
}

func explainExamples(out *strings.Builder, title string, examples []rules.Example) error {
	if len(examples) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for _, e := range examples {
		filled, err := e.Render(rnd)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %s\n", filled.Text)
		if e.Client != "" {
			fmt.Fprintf(out, "      client %s\n", e.Client)
		}
	}
	return nil
}
