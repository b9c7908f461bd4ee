package dbcache

import "sync"

// Memory is a cache within the process: components of one Collector, or a component
// that is started again, compile the same rules once. The zero Memory is ready, and any
// number of goroutines may use it.
type Memory struct {
	mu   sync.Mutex
	data map[string][]byte
}

// Process is the one that all components of a process share.
var Process = &Memory{}

// Load returns what is stored under key, or nil.
func (m *Memory) Load(key string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[key]
}

// Store keeps data, which must not be changed afterwards, and at most as many entries
// as a folder: of more, none of the older ones stays.
func (m *Memory) Store(key string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data == nil || len(m.data) >= keep {
		m.data = map[string][]byte{}
	}
	m.data[key] = data
}
