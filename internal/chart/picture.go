// Package chart draws small pictures: rows of points, bars and intervals along one
// axis. Across, a place is a share of the picture's width, so a picture fits a phone
// and a wide screen with letters of one size; down, it is in pixels. It makes no text
// of its own and no HTML: a template turns the items into SVG and escapes them.
package chart

import "strconv"

// Percent is a place across, as a share of the picture's width.
type Percent float64

// String is the percentage as SVG writes it.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', 2, 64) + "%" }

// Pixels is a place down, or a height.
type Pixels float64

// String is the number as SVG writes it, without a unit.
func (p Pixels) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) }

// Picture is what a template draws. Finding is its text alternative: what a reader
// who can't see the picture would want to know of it.
type Picture struct {
	ID      string
	Finding string
	Height  Pixels
	Items   []Item
}

// Kind says what an item is.
type Kind string

// The kinds of items.
const (
	Line  Kind = "line"  // from X, Y to X2, Y2
	Bar   Kind = "bar"   // from X to X+X2, from Y, Height high
	Point Kind = "point" // at X, Y; Shape tells its form
	Label Kind = "label" // Text at X, Y
	Curve Kind = "curve" // Path in a box as wide as the picture, from Y, Height high, Steps units wide
)

// Item is one thing that is drawn. Tip is shown where a mouse rests.
type Item struct {
	Kind   Kind
	X, X2  Percent
	Y, Y2  Pixels
	Height Pixels
	Class  string
	Tip    string
	Text   string
	Anchor string // of a label: start, middle or end
	Shape  int
	Shift  Pixels // of a label or a point: to the right of X
	Path   string
	Steps  int
}

// Line adds a straight line.
func (p *Picture) Line(x1 Percent, y1 Pixels, x2 Percent, y2 Pixels, class string) {
	p.Items = append(p.Items, Item{Kind: Line, X: x1, Y: y1, X2: x2, Y2: y2, Class: class})
}

// Bar adds a bar; one that ends before it begins is drawn the other way round.
func (p *Picture) Bar(from, to Percent, y, height Pixels, class, tip string) {
	p.Items = append(p.Items, Item{Kind: Bar, X: min(from, to), X2: max(from, to) - min(from, to), Y: y, Height: height, Class: class, Tip: tip})
}

// Point adds a point of one of Shapes.
func (p *Picture) Point(x Percent, y Pixels, shape int, class, tip string) {
	p.Items = append(p.Items, Item{Kind: Point, X: x, Y: y, Shape: shape % Shapes, Class: class, Tip: tip})
}

// Label adds text that begins, ends or has its middle at x.
func (p *Picture) Label(x Percent, y Pixels, anchor, class, text string) {
	p.Items = append(p.Items, Item{Kind: Label, X: x, Y: y, Anchor: anchor, Class: class, Text: text})
}

// Name adds a point and the text that it stands for, at the left edge.
func (p *Picture) Name(y Pixels, shape int, class, text string) {
	const middle, gap = Pixels(6), Pixels(17)
	p.Items = append(p.Items, Item{Kind: Point, Y: y - 4, Shift: middle, Shape: shape % Shapes, Class: class},
		Item{Kind: Label, Y: y, Shift: gap, Anchor: "start", Class: "name", Text: text})
}

// Curve adds a path that is stretched to the picture's width.
func (p *Picture) Curve(path string, steps int, y, height Pixels, class string) {
	p.Items = append(p.Items, Item{Kind: Curve, Path: path, Steps: steps, Y: y, Height: height, Class: class})
}

// Shapes is how many forms a point has: with the colours they make arms
// distinguishable for readers who see few of the colours.
const Shapes = 5
