// Package corpus generates a realistic stream of authentication traffic with
// secrets in known places: what benchmarks measure on, what end-to-end tests
// count, and what the demo shows. The same options give the same stream, byte
// for byte. It must never contain a real secret: every value is drawn from the
// seed, and vendors' prefixes are put together from parts.
package corpus

import (
	"math/rand/v2"

	"github.com/leakveil/leakveil/rules"
)

// Secret is a planted value.
type Secret struct {
	// Start and End bound in Line.Text what a mask has to replace.
	Start, End int
	Kind       rules.Kind
	// Value is the fully decoded secret.
	Value string
	// Client is the client that the line names for it, "" when it names none.
	Client string
}

// Line is one log line without its line end.
type Line struct {
	Text    []byte
	Service string
	Secrets []Secret
}

// Options choose a stream.
type Options struct {
	Seed uint64
	// LeakEvery plants a secret in one of so many lines; 0 in none.
	LeakEvery int
	// AuthTraffic makes the clean lines those of an identity provider and its
	// proxies: authorization requests and login events, long and full of
	// look-alikes. Otherwise most are what services log all day.
	AuthTraffic bool
}

// The streams that figures are given for.
var (
	Clean = Options{Seed: 1}
	Mixed = Options{Seed: 2, LeakEvery: 1000}
	Auth  = Options{Seed: 3, LeakEvery: 5, AuthTraffic: true}
)

// Generator gives out lines for ever.
type Generator struct {
	o    Options
	rnd  *rand.Rand
	seq  int
	leak int // index of the next leak shape, so that all come in turn
}

// lookAlikeEvery is how often a clean line is full of look-alikes; the others are
// what services log all day.
const lookAlikeEvery = 8

// New returns a generator.
func New(o Options) *Generator {
	return &Generator{o: o, rnd: rand.New(rand.NewPCG(o.Seed, 0x6c65616b7665696c))}
}

// Next returns the next line. Its memory is the caller's.
func (g *Generator) Next() Line {
	g.seq++
	if g.o.LeakEvery > 0 && g.rnd.IntN(g.o.LeakEvery) == 0 {
		shape := shapes[g.leak%len(shapes)]
		g.leak++
		return g.build(shape)
	}
	texts := plainTexts
	if g.o.AuthTraffic || g.rnd.IntN(lookAlikeEvery) == 0 {
		texts = lookAlikeTexts
	}
	return Line{Text: []byte(g.fill(texts[g.rnd.IntN(len(texts))], g.client())), Service: g.service()}
}

// Shapes is the number of leak shapes.
func Shapes() int { return len(shapes) }

// Shape returns a line of the n-th leak shape.
func (g *Generator) Shape(n int) Line {
	g.seq++
	return g.build(shapes[n])
}

// ShapeName names the n-th leak shape.
func ShapeName(n int) string { return shapes[n].name }

func (g *Generator) pick(list ...string) string { return list[g.rnd.IntN(len(list))] }

func (g *Generator) draw(alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[g.rnd.IntN(len(alphabet))]
	}
	return string(out)
}

const (
	alnum      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base64url  = alnum + "-_"
	unreserved = alnum + "-._~"
	hexDigits  = "0123456789abcdef"
)

func (g *Generator) b64u(n int) string  { return g.draw(base64url, n) }
func (g *Generator) alnum(n int) string { return g.draw(alnum, n) }
func (g *Generator) hex(n int) string   { return g.draw(hexDigits, n) }

func (g *Generator) uuid() string {
	return g.hex(8) + "-" + g.hex(4) + "-4" + g.hex(3) + "-" + g.pick("8", "9", "a", "b") + g.hex(3) + "-" + g.hex(12)
}

func (g *Generator) client() string {
	return g.pick("web-shop", "spa-bank", "mobile-app", "batch-export", "partner-portal", "admin-cli", "tv-app")
}

func (g *Generator) service() string {
	return g.pick("checkout", "gateway", "login", "orders", "profile", "keycloak", "billing")
}
