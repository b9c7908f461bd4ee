//go:build race

package gateway_test

// brim is less than the default size of a request: the race detector's frames are larger,
// and more of them than the stack may hold end the process.
const brim = 4 << 20
