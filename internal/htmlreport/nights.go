package htmlreport

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/cniperf/cniperf/internal/chart"
	"github.com/cniperf/cniperf/internal/history"
)

// The measures of a picture of nights, in pixels.
const (
	nightsTop    = 22.0
	nightsHeight = 110.0
	// mostSteps is how many places a curve has at most: more are not to be seen, and
	// a thousand nights of many cells would make a large page.
	mostSteps = 400
	// mostPoints is up to how many nights each is a point of its own.
	mostPoints = 80
)

// nightsPicture draws a series from the night of that index on: the band of its rounds,
// its medians, the nights that the last is compared with, and where a change began.
func nightsPicture(texts Texts, id, finding string, s history.Series, from int, arm armView) chart.Picture {
	p := chart.Picture{ID: id, Finding: finding, Height: nightsTop + nightsHeight + 22}
	nights := s.Nights[from:]
	var all []float64
	for _, n := range nights {
		all = append(all, n.Low, n.High, n.Ratio)
	}
	scale := chart.Around(all...)
	y := func(v float64) chart.Pixels {
		share := (v - scale.Low) / (scale.High - scale.Low)
		return chart.Pixels(nightsTop + nightsHeight*(1-min(1, max(0, share))))
	}
	x := func(i int) chart.Percent {
		return chart.Percent(100 * float64(i-from) / float64(max(1, len(nights)-1)))
	}
	since := slices.IndexFunc(s.Nights, func(n history.Night) bool { return n.Run == s.Since })
	reference(&p, s, since, from, x)
	for _, t := range scale.Ticks(4) {
		p.Line(0, y(t.Value), 100, y(t.Value), "grid")
		p.Label(0, y(t.Value)-3, "start", "tick", t.Text)
	}
	curves(&p, nights, y, arm.Class)
	if v := s.Verdict; v.Worst != nil {
		worst := costRatio(s.Metric, *v.Worst)
		p.Line(0, y(worst), 100, y(worst), "mark")
		p.Label(100, y(worst)-3, "end", "tick", texts.Say("worst of the window %s", ratioText(worst)))
	}
	if since >= from && s.Since != "" {
		p.Line(x(since), nightsTop, x(since), nightsTop+nightsHeight, "since")
		p.Label(x(since), nightsTop-8, anchorAt(x(since)), "name", texts.Say("since %s", s.Since))
	}
	if len(nights) <= mostPoints {
		for i, n := range nights {
			p.Point(x(from+i), y(n.Ratio), arm.Shape, "dot "+arm.Class, n.Run+": "+ratioText(n.Ratio))
		}
	}
	p.Label(0, p.Height-4, "start", "axis", nights[0].Run)
	if len(nights) > 1 {
		p.Label(100, p.Height-4, "end", "axis", nights[len(nights)-1].Run)
	}
	return p
}

// reference marks the nights that the newest is compared with: those before it, or
// before the change.
func reference(p *chart.Picture, s history.Series, since, from int, x func(int) chart.Percent) {
	end := len(s.Nights) - 2
	if since > 0 {
		end = since - 1
	}
	begin := end - s.Verdict.Window + 1
	if s.Verdict.Worst == nil || begin < 0 || end < from {
		return
	}
	p.Bar(x(max(begin, from)), x(end), nightsTop, nightsHeight, "window", "")
}

// curves draw the band and the line. Of more nights than there are places, those of one
// place share it: their middle night, their lowest and their highest round.
func curves(p *chart.Picture, nights []history.Night, y func(float64) chart.Pixels, class string) {
	n := len(nights)
	if n < 2 {
		return
	}
	places := min(n, mostSteps)
	var line, back []byte
	var low []string
	for k := range places {
		group := nights[k*n/places : (k+1)*n/places]
		sorted := slices.Clone(group)
		slices.SortFunc(sorted, func(a, b history.Night) int { return cmp.Compare(a.Ratio, b.Ratio) })
		lowest, highest := group[0].Low, group[0].High
		for _, g := range group {
			lowest, highest = min(lowest, g.Low), max(highest, g.High)
		}
		line = step(line, k, y(sorted[len(sorted)/2].Ratio)-nightsTop)
		back = step(back, k, y(highest)-nightsTop)
		low = append(low, string(step(nil, k, y(lowest)-nightsTop))[1:])
	}
	slices.Reverse(low)
	for _, l := range low {
		back = append(append(back, 'L'), l...)
	}
	p.Curve(string(back)+"Z", places-1, nightsTop, nightsHeight, "band "+class)
	p.Curve(string(line), places-1, nightsTop, nightsHeight, "curve "+class)
}

// step adds a place to a path: M for its first, else L.
func step(path []byte, k int, y chart.Pixels) []byte {
	if k == 0 {
		path = append(path, 'M')
	} else {
		path = append(path, 'L')
	}
	path = strconv.AppendInt(path, int64(k), 10)
	path = append(path, ' ')
	return strconv.AppendFloat(path, float64(y), 'f', 1, 64)
}

// anchorAt keeps a label within the picture.
func anchorAt(x chart.Percent) string {
	switch {
	case x < 20:
		return "start"
	case x > 80:
		return "end"
	}
	return "middle"
}
