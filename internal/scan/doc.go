// Package scan finds secrets in files and folders and reports where they are,
// without writing the text anywhere: what "leakveil scan" does. Folders are
// walked, gzip and zstd files are read, memory stays bounded whatever the size.
//
// It must never put a value, or any other byte of the text, into a report.
package scan
