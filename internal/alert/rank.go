package alert

// The orders of severities and confidences, lowest first. Their names are those
// of package rules, which this package does not import; a test compares them.
var (
	severities  = []string{"info", "low", "medium", "high", "critical"}
	confidences = []string{"possible", "likely", "certain", "proven"}
)

// severityScore maps a severity to event.severity, on the scale of 0 to 100
// that Elastic's own rules use (21, 47, 73, 99).
var severityScore = map[string]int{"info": 1, "low": 21, "medium": 47, "high": 73, "critical": 99}

// SeverityScore returns the number of a severity from 0 to 100; 0 if unknown.
func SeverityScore(severity string) int { return severityScore[severity] }

func rank(order []string, name string) int {
	for i, known := range order {
		if known == name {
			return i
		}
	}
	return -1
}

// higher returns the one of a and b that stands later in order.
func higher(order []string, a, b string) string {
	if rank(order, b) > rank(order, a) {
		return b
	}
	return a
}
