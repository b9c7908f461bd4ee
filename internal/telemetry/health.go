package telemetry

import (
	"slices"
	"strings"
	"sync"
)

// Health is a set of named checks. All must be well for the set to be well; an
// empty set is well.
type Health struct {
	mu     sync.Mutex
	checks []*Check
}

// Check is one condition. It is not well until OK is called.
type Check struct {
	health *Health
	name   string
	reason string // empty: well
}

// CheckStatus is what one check says now.
type CheckStatus struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// Add adds a check, not well at first with the reason "starting". Names and
// reasons are fixed words, never data.
func (h *Health) Add(name string) *Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &Check{health: h, name: name, reason: "starting"}
	h.checks = append(h.checks, c)
	return c
}

// Remove takes the check out of its set.
func (c *Check) Remove() {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	c.health.checks = slices.DeleteFunc(c.health.checks, func(other *Check) bool { return other == c })
}

// OK says that all is well.
func (c *Check) OK() { c.set("") }

// Fail says what is wrong.
func (c *Check) Fail(reason string) {
	if reason == "" {
		reason = "failed"
	}
	c.set(reason)
}

func (c *Check) set(reason string) {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	c.reason = reason
}

// Status says whether all is well, and lists the checks by name.
func (h *Health) Status() (bool, []CheckStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ok, list := true, make([]CheckStatus, 0, len(h.checks))
	for _, c := range h.checks {
		list = append(list, CheckStatus{c.name, c.reason == "", c.reason})
		ok = ok && c.reason == ""
	}
	slices.SortStableFunc(list, func(a, b CheckStatus) int { return strings.Compare(a.Name, b.Name) })
	return ok, list
}
