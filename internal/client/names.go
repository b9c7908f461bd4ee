package client

// MaxListed is how many clients an answer lists.
const MaxListed = maxListed

// Names returns the client identifiers that a text names, sorted, at most MaxListed.
// The text must hold no secret: masked values are no names.
func (a *Attributor) Names(text []byte) []string {
	a.read(text)
	ids := a.all
	a.Reset()
	return ids[:min(len(ids), MaxListed)]
}
