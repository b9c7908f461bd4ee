package detect

import (
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func randomBytes(n int) []byte {
	out := make([]byte, n)
	_, _ = crand.Read(out)
	return out
}

func base64Bytes(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }

func randomUUID() string {
	h := hex.EncodeToString(randomBytes(16))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func supabaseToken(counter uint64) string {
	raw := append([]byte{0}, randomBytes(16)...)
	raw = binary.AppendUvarint(raw, counter)
	raw = append(raw, randomBytes(16)...)
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append(raw, sum[:4]...))
}

// shapeCases are the whole-value shapes with their generators.
var shapeCases = []struct {
	name string
	is   func([]byte) bool
	make []func() string
}{
	{"keycloak", keycloakCode, []func() string{
		func() string { return randomUUID() + "." + randomUUID() + "." + randomUUID() },
		func() string { return randomUUID() + "." + base64Bytes(18) + "." + randomUUID() },
	}},
	{"fosite", fositeToken, []func() string{func() string { return base64Bytes(32) + "." + base64Bytes(32) }}},
	{"duende", duendeHandle, []func() string{
		func() string { return strings.ToUpper(hex.EncodeToString(randomBytes(32))) + "-1" },
	}},
	{"supabase", supabaseRefresh, []func() string{
		func() string { return supabaseToken(0) },
		func() string { return supabaseToken(uint64(rand.Uint32())) },
		func() string { return supabaseToken(1<<64 - 1) },
	}},
}

// Every value of a shape is recognised, by its own shape and by no other; cut,
// lengthened or with a foreign byte it is not.
func TestShapes(t *testing.T) {
	for i, shape := range shapeCases {
		t.Run(shape.name, func(t *testing.T) {
			for _, make := range shape.make {
				for range 2000 {
					v := make()
					for j, other := range shapeCases {
						if other.is([]byte(v)) != (i == j) {
							t.Fatalf("%s for %q: %t", other.name, v, i != j)
						}
					}
					at := rand.IntN(len(v))
					for _, wrong := range []string{
						v[1:], v[:len(v)-1], v + "A", "A" + v, v + "-1", v + "." + v, v[:at] + "*" + v[at+1:], v[:at] + "%" + v[at+1:], "",
					} {
						if shape.is([]byte(wrong)) {
							t.Fatalf("%q, made of %q", wrong, v)
						}
					}
				}
			}
		})
	}
}

// What only looks like one of the shapeCases is none of them.
func TestNoShapes(t *testing.T) {
	upperHex := strings.ToUpper(hex.EncodeToString(randomBytes(32)))
	for _, v := range []string{
		randomUUID(), randomUUID() + "." + randomUUID(), randomUUID() + "-" + randomUUID() + "-" + randomUUID(),
		strings.ToUpper(randomUUID()) + "." + randomUUID() + "." + randomUUID(),
		randomUUID() + "." + strings.Repeat("a", 25) + "." + randomUUID(),
		"00000000-0000-0000-0000-000000000000.00000000-0000-0000-0000-000000000000.00000000-0000-0000-0000-000000000000",
		base64Bytes(32), base64Bytes(32) + base64Bytes(32), base64Bytes(32) + "-" + base64Bytes(32),
		strings.Repeat("a", 43) + "." + base64Bytes(32), base64Bytes(32) + "." + strings.Repeat("-", 43),
		"OAuth2AuthorizationCodeRequestAuthenticatio." + "DefaultAuthorizationCodeTokenResponseClient",
		hex.EncodeToString(randomBytes(22))[:43] + "." + hex.EncodeToString(randomBytes(22))[:43],
		"node-1-worker-pool-a-kubernetes-cluster-001." + "internal-eu-central-1-compute-node-name-002",
		strings.ToLower(upperHex) + "-1", upperHex, upperHex + "-2", upperHex + "_1", upperHex + "-01",
		strings.Repeat("0", 64) + "-1", strings.Repeat("0123456", 9) + "0-1", strings.Repeat("F", 64) + "-1",
		"AA" + base64Bytes(37)[:49], "A" + base64Bytes(38)[1:], strings.Repeat("A", 51), strings.Repeat("A", 64),
		base64Bytes(38),
	} {
		for _, shape := range shapeCases {
			if shape.is([]byte(v)) {
				t.Errorf("%s: %q", shape.name, v)
			}
		}
	}
}

// One wrong character breaks the checksum.
func TestSupabaseChecksum(t *testing.T) {
	broken := 0
	for range 1000 {
		v := []byte(supabaseToken(uint64(rand.IntN(100))))
		at := 2 + rand.IntN(len(v)-3)
		v[at] = base64url[(strings.IndexByte(base64url, v[at])+1+rand.IntN(62))%64]
		if !supabaseRefresh(v) {
			broken++
		}
	}
	if broken < 999 { // one in 2^32 holds by chance
		t.Errorf("%d of 1000 changed tokens pass", 1000-broken)
	}
}

func TestShapesAllocateNothing(t *testing.T) {
	for _, shape := range shapeCases {
		for _, make := range shape.make {
			v := []byte(make())
			if n := testing.AllocsPerRun(100, func() { shape.is(v) }); n > 0 {
				t.Errorf("%s: %v allocations", shape.name, n)
			}
		}
	}
}

func FuzzShapes(f *testing.F) {
	for _, shape := range shapeCases {
		f.Add([]byte(shape.make[0]()))
	}
	f.Add([]byte("A" + strings.Repeat("A\n", 25))) // the decoder passes over line ends
	f.Fuzz(func(_ *testing.T, v []byte) {
		for _, shape := range shapeCases {
			shape.is(v)
		}
	})
}
