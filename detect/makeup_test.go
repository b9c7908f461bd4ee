package detect

import "testing"

func TestAlike(t *testing.T) {
	for _, tc := range []struct {
		value, rest string
		want        bool
	}{
		{"aB3dE5gH7jK9mN1pQ3sT", "xY2zA4bC6dE8", true},
		{"aB3dE5gH7jK9mN1pQ3sT", "0123456789abcdef", false},
		{"aB3dE5gH7jK9mN1pQ3sT", "01ARZ3NDEKTSV4RRFFQ69G5FAV", false},
		{"0123456789abcdef01234567", "89abcdef01234567", true},
		{"0123456789abcdef01234567", "xyz12345678", false},
		{"k3x9m2p7q4z8w1v6r5t0", "n2b8c4d6", true},
		{"k3x9m2p7q4", "aB3dE5gH7jK9", true}, // too little to tell
		{"aB3dE5gH", "k3x9m2p7q4", false},
	} {
		if got := madeOf([]byte(tc.value)).alike([]byte(tc.rest), len(tc.value)); got != tc.want {
			t.Errorf("%q goes on with %q: %v", tc.value, tc.rest, got)
		}
	}
}

func TestNamesWithNumbers(t *testing.T) {
	for text, want := range map[string]bool{
		"ECDHE-RSA-AES128-GCM-SHA256": true, "TLS_AES_256_GCM_SHA384": true, "v1.2.3-rc4": true, "HS256/JWK": true, "aes-256-gcm": true,
		"aB3dE5gH": false, "K3X9-M2P7": false, "abcdefgh": false, "12345678": false, "SplxlOBeZQQYbYS6WxSbIA": false, "4/0AX4XfWh": false, "a1b2c3d4-e5f6": false, "": false,
	} {
		if got := isName([]byte(text)); got != want {
			t.Errorf("%q: a name: %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"deploy-token-jy0lk": true, "ingress-nginx-admission-x7k2p": true, "deploy-jy0lk": false, "k3x9m2-p7q4z8-w1v6r5": false, "Deploy-Token-jy0lk": false, "": false,
		"deploy-token-aB3dE5": false, "deploy-token-k3x9m2p7q4z8w1v6r5t0": false,
	} {
		if got := isObject([]byte(text)); got != want {
			t.Errorf("%q: an object's name: %v", text, got)
		}
	}
}
