// Package collector is ready configurations of a Collector with leakveil, and the manifest
// it is built from; its tests build it, start it with each of them, and send real telemetry
// through. It must never hold code that a program needs.
package collector
