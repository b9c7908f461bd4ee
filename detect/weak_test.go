package detect

import (
	"strings"
	"testing"
)

// spelled returns every way to write a glue in which each blank is nothing, a
// blank, or a tab.
func spelled(glue string) []string {
	before, after, ok := strings.Cut(glue, " ")
	if !ok {
		return []string{glue}
	}
	var out []string
	for _, rest := range spelled(after) {
		for _, blank := range []string{"", " ", "\t"} {
			out = append(out, before+blank+rest)
		}
	}
	return out
}

// Weak keys have one expression for each exact glue. This is what all of them
// together have to know, written apart from their generation: spelling them out
// once lost forms that were found before (tabs, 'code'=>'…', [code]=>…).
func TestWeakKeysInEveryGlue(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	glues := []string{
		` = `, ` = "`, ` = '`, ` = [`, ` : `, ` : "`, ` : '`, ` '`,
		`" : "`, `' : '`, `\" : \"`, `\\\" : \\\"`, `" : ["`, `' : ['`,
		`" => "`, `' => '`, `] => `, `[] = `, `&quot; : &quot;`,
		`%3D`, `%253D`, `%25253D`, `%3d`, `%22%3A%22`, `%22%3A%20%22`, `%2522%253A%2522`, `%5B%5D=`,
		`\u003D`, `\u003d`, `\u0022:\u0022`,
	}
	opens := map[byte]string{'"': `{"`, '\'': "{'", ']': "[", '\\': `{\"`}
	for _, key := range []string{"code", "token", "authorization_code", "authorizationCode", "Code", "TOKEN"} {
		for _, glue := range glues {
			for _, g := range spelled(glue) {
				value := random(base64url[:62], 42) + "7"
				open := opens[strings.TrimLeft(g, " \t")[0]]
				text := "state=s1 " + open + key + g + value + " x=1"
				found := scanText(t, s, text)
				if len(found) != 1 || text[found[0].Start:found[0].End] != value {
					t.Errorf("%q: %s", text, shown(text, found))
				}
			}
		}
	}
}
