//go:build !race

package gateway_test

// brim is the default size of a request.
const brim = 8 << 20
