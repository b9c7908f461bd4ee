package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// class is a kind of value.
type class struct {
	name string
	draw func(*rand.Rand) string
}

const (
	alnum     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base64url = alnum + "-_"
)

// classes are first what should be found, then what should not.
var classes = []class{
	drawn("base64url 16", base64url, 16), drawn("base64url 20", base64url, 20), drawn("base64url 22", base64url, 22),
	drawn("base64url 27", base64url, 27), drawn("base64url 32", base64url, 32), drawn("base64url 43", base64url, 43),
	drawn("hex 32", "0123456789abcdef", 32), drawn("hex 40", "0123456789abcdef", 40), drawn("hex 64", "0123456789abcdef", 64),
	{"UUID", uuid}, drawn("alphanumeric 20", alnum, 20), drawn("alphanumeric 32", alnum, 32),
	{"*words*", oneWord}, {"*identifiers*", identifier}, {"*slugs*", slug}, {"*versions*", version}, {"*product codes*", product},
}

func drawn(name, alphabet string, n int) class {
	return class{name, func(r *rand.Rand) string { return pick(r, alphabet, n) }}
}

func pick(r *rand.Rand, alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

// uuid is a version 4 UUID (RFC 9562 §5.4).
func uuid(r *rand.Rand) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// words are of logs and shops, in no order.
var words = strings.Fields(`access account action address admin agent alert amount archive article asset audit backup
balance basket batch billing branch bridge browser budget buffer bundle cache calendar campaign cancel capture catalog
category channel chapter checkout circle client cluster column comment company complete connection consumer contact
container content context contract control counter country coupon current customer dashboard database default delivery
deploy detail device dialog digest direct discount display document domain download duplicate element employee endpoint
engine entity environment error event example exchange expired export failure feature filter finance folder forbidden
forward function gateway general global group handler header health history holiday identity image import incident index
inventory invoice journal keyword language launch layout ledger library license limit listing location logistics machine
manager market measure member memory message metric migration missing mobile module monitor network notice number object
offer operator option order origin output owner package partner password payment pending permission pipeline platform
policy portal position premium preview price primary priority process product profile project protocol provider public
purchase quality queue quota random rating reason receipt record refund region release remote report request reserve
resource response restart result return review rollback router schedule schema search season section segment server
service session setting shipment shipping signal socket source standard status storage stream subject summary supplier
support switch system target template temporary terminal tenant thread ticket timeout topic tracking traffic transfer
trigger unknown update upload vendor version video volume voucher warehouse warning website window worker workflow`)

func word(r *rand.Rand) string { return words[r.IntN(len(words))] }

// several joins two to four words.
func several(r *rand.Rand, join string) string {
	out := word(r)
	for range 1 + r.IntN(3) {
		out += join + word(r)
	}
	return out
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// oneWord is a word, or two written as one.
func oneWord(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return word(r)
	}
	return word(r) + word(r)
}

func identifier(r *rand.Rand) string {
	switch r.IntN(5) {
	case 0:
		return several(r, "_")
	case 1:
		return strings.ToUpper(several(r, "_"))
	case 2:
		return "com." + several(r, ".") + "." + title(word(r)) + title(word(r))
	case 3:
		return title(word(r)) + title(word(r)) + title(word(r))
	}
	return word(r) + title(word(r)) + fmt.Sprint(r.IntN(100))
}

func slug(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return several(r, "-")
	}
	return several(r, "-") + fmt.Sprintf("-%d", r.IntN(100_000))
}

// version is of software, with what stands behind it at times.
func version(r *rand.Rand) string {
	out := fmt.Sprintf("%d.%d.%d", r.IntN(30), r.IntN(30), r.IntN(300))
	switch r.IntN(4) {
	case 0:
		return "v" + out
	case 1:
		return out + fmt.Sprintf("-rc.%d", r.IntN(20))
	case 2:
		return out + fmt.Sprintf("-SNAPSHOT-2026%02d%02d.%06d", 1+r.IntN(12), 1+r.IntN(28), r.IntN(240_000))
	}
	return out + "+build." + fmt.Sprint(r.IntN(100_000))
}

func product(r *rand.Rand) string {
	const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	switch r.IntN(4) {
	case 0:
		return "SKU-" + pick(r, "0123456789", 8)
	case 1:
		return pick(r, capitals, 3) + "-" + pick(r, "0123456789", 4) + "-" + pick(r, capitals, 2)
	case 2:
		return strings.ToUpper(word(r)) + fmt.Sprint(2000+r.IntN(100))
	}
	return pick(r, capitals, 2) + pick(r, "0123456789", 10)
}
