// Package harden keeps the process's memory private: no core dumps, and no
// reading or tracing by other processes of the same user. It is called once, at
// start, before any secret is read.
//
// It must never read or keep anything. On systems other than Linux it does
// nothing.
package harden
