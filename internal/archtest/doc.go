// Package archtest holds the tests of the code's shape: which package may
// import which, that every package says what it is, and that files stay short.
// It must never hold anything but tests.
package archtest
