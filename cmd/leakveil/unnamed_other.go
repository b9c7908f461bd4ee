//go:build !linux

package main

import (
	"errors"
	"os"
)

func unnamed(string) *os.File { return nil }

func linkUnnamed(*os.File, string) error { return errors.ErrUnsupported }
