//go:build !cgo

package detect

import "errors"

// Without cgo there is no Hyperscan; Resolve never chooses it.
const haveHyperscan = false

func hyperscanVersion() string { return "" }

func compileCached(Cache, EngineForm, []*Trigger) (matcher, EngineForm, error) {
	return nil, "", errors.New("detect: this build has no Hyperscan")
}
