package chart

// The measures of a row in pixels: a line of text above a strip.
const (
	rowHeight   Pixels = 46
	textLine    Pixels = 13
	stripMiddle Pixels = 30
	spreadOf    Pixels = 4 // points are moved up and down by as much, to lie beside each other
	axisHeight  Pixels = 36
)

// Row is one line of a picture: a name and a figure above a strip.
type Row struct {
	Name, Figure string
	Class        string // of the name and its points
	Shape        int
	Points       []Dot
	Median       *float64
	// Low and High are the ends of an interval, drawn as a bar.
	Low, High *float64
}

// Dot is a single value. A Faint one is drawn hollow.
type Dot struct {
	Value float64
	Tip   string
	Faint bool
}

// Axis is what the rows of a picture share.
type Axis struct {
	Scale
	// Title says what is measured, in which unit, and which way is better.
	Title string
	// Suffix follows each tick's number.
	Suffix string
	// Marks are values with a line of their own through all the rows.
	Marks []float64
}

// Rows draws rows over one axis.
func Rows(id, finding string, rows []Row, axis Axis) Picture {
	p := Picture{ID: id, Finding: finding, Height: Pixels(len(rows))*rowHeight + axisHeight}
	bottom := p.Height - axisHeight
	for _, t := range axis.Ticks(5) {
		x := axis.At(t.Value)
		p.Line(x, 0, x, bottom+4, "grid")
		p.Label(x, bottom+16, "middle", "tick", t.Text+axis.Suffix)
	}
	for _, m := range axis.Marks {
		p.Line(axis.At(m), 0, axis.At(m), bottom, "mark")
	}
	p.Label(0, p.Height-3, "start", "axis", axis.Title)
	for i, r := range rows {
		r.draw(&p, axis.Scale, Pixels(i)*rowHeight)
	}
	return p
}

func (r Row) draw(p *Picture, s Scale, top Pixels) {
	p.Name(top+textLine, r.Shape, r.Class, r.Name)
	p.Label(100, top+textLine, "end", "figure", r.Figure)
	middle := top + stripMiddle
	p.Line(0, middle, 100, middle, "strip")
	if r.Low != nil && r.High != nil {
		p.Bar(s.At(*r.Low), s.At(*r.High), middle-4, 8, "interval "+r.Class, "")
	}
	for i, d := range r.Points {
		class := "dot " + r.Class
		if d.Faint {
			class += " faint"
		}
		y := middle
		if r.Low == nil { // not the ends of an interval
			// Every third place, so that neighbours in time don't hide each other.
			y += spreadOf * Pixels(i%3-1)
		}
		p.Point(s.At(d.Value), y, r.Shape, class, d.Tip)
	}
	if r.Median != nil {
		x := s.At(*r.Median)
		p.Line(x, middle-10, x, middle+10, "median")
	}
}

// Bars draws one bar from zero per row, by the rows' medians.
func Bars(id, finding string, rows []Row, axis Axis) Picture {
	const height, line, bar = Pixels(34), Pixels(13), Pixels(10)
	p := Picture{ID: id, Finding: finding, Height: Pixels(len(rows))*height + 16}
	largest := 0.0
	for _, r := range rows {
		if r.Median != nil {
			largest = max(largest, *r.Median)
		}
	}
	for i, r := range rows {
		top := Pixels(i) * height
		p.Name(top+line, r.Shape, r.Class, r.Name)
		p.Label(100, top+line, "end", "figure", r.Figure)
		if r.Median != nil && largest > 0 {
			p.Bar(0, Percent(100**r.Median/largest), top+line+4, bar, "whole "+r.Class, "")
		}
	}
	p.Label(0, p.Height-3, "start", "axis", axis.Title)
	return p
}
