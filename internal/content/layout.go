package content

import "strings"

// box is a panel's place on a grid.
type box struct{ x, y, w, h int }

// layout places the panels in rows: numbers by four, charts by two, tables and
// lists alone. Rows are counted in units of a grid that is width wide; unit
// stretches their heights.
func layout(width, unit int) (out []box) {
	kinds := make([]Draw, len(panels))
	for i, p := range panels {
		kinds[i] = p.Draw
	}
	return place(kinds, width, unit)
}

func place(kinds []Draw, width, unit int) (out []box) {
	share := map[Draw]int{Number: 4, Bars: 2, Table: 2, List: 1}
	height := map[Draw]int{Number: 4, Bars: 8, Table: 9, List: 10}
	x, y, tall := 0, 0, 0
	var last Draw
	for i, kind := range kinds {
		b := box{w: width / share[kind], h: height[kind] * unit}
		if kind != last && i > 0 || x+b.w > width {
			x, y, tall = 0, y+tall, 0
		}
		if kind == Table && x == 0 && (i+1 == len(kinds) || kinds[i+1] != Table) {
			b.w = width // the last of an odd number
		}
		b.x, b.y = x, y
		x, tall, last = x+b.w, max(tall, b.h), kind
		out = append(out, b)
	}
	return out
}

// label is the end of a field's name, for heads of columns.
func label(path string) string {
	switch path {
	case "leakveil.client.id":
		return "Client"
	case "leakveil.client.how":
		return "How found"
	case "leakveil.advice.method":
		return "What to do"
	case "leakveil.fingerprints":
		return "Fingerprint"
	case "service.name":
		return "Service"
	case "rule.id":
		return "Rule"
	}
	name := path[strings.LastIndexByte(path, '.')+1:]
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
}
