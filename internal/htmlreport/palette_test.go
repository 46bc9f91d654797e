package htmlreport

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cniperf/cniperf/internal/chart"
)

type rgb [3]float64 // linear light, 0 to 1

func parseColour(t *testing.T, hex string) rgb {
	t.Helper()
	if len(hex) == 3 {
		hex = strings.Repeat(hex[:1], 2) + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:], 2)
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	require.NoError(t, err)
	var c rgb
	for i := range c {
		x := float64(n>>(16-8*i)&255) / 255
		if x <= .04045 {
			c[i] = x / 12.92
		} else {
			c[i] = math.Pow((x+.055)/1.055, 2.4)
		}
	}
	return c
}

// contrast is the ratio that WCAG 2 defines.
func contrast(a, b rgb) float64 {
	light := func(c rgb) float64 { return .2126*c[0] + .7152*c[1] + .0722*c[2] + .05 }
	return max(light(a), light(b)) / min(light(a), light(b))
}

// seen is how a colour looks to a reader without one kind of cones, by the matrices of
// Machado, Oliveira and Fernandes (2009) at full severity.
func seen(c rgb, m [3][3]float64) rgb {
	var out rgb
	for i := range out {
		for j := range c {
			out[i] += m[i][j] * c[j]
		}
		out[i] = min(1, max(0, out[i]))
	}
	return out
}

var eyes = map[string][3][3]float64{
	"all cones": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protan":    {{.152286, 1.052583, -.204868}, {.114503, .786281, .099216}, {-.003882, -.048116, 1.051998}},
	"deutan":    {{.367322, .860646, -.227968}, {.280085, .672501, .047413}, {-.011820, .042940, .968881}},
	"tritan":    {{1.255528, -.076749, -.178779}, {-.078411, .930809, .147602}, {.004733, .691367, .303900}},
}

// distance is that of two colours in Oklab, as Ottosson (2020) defines it: .02 is just
// to be seen side by side.
func distance(a, b rgb) float64 {
	lab := func(c rgb) [3]float64 {
		l := math.Cbrt(.4122214708*c[0] + .5363325363*c[1] + .0514459929*c[2])
		m := math.Cbrt(.2119034982*c[0] + .6806995451*c[1] + .1073969566*c[2])
		s := math.Cbrt(.0883024619*c[0] + .2817188376*c[1] + .6299787005*c[2])
		return [3]float64{
			.2104542553*l + .7936177850*m - .0040720468*s, 1.9779984951*l - 2.4285922050*m + .4505937099*s, .0259040371*l + .7827717662*m - .8086757660*s,
		}
	}
	x, y := lab(a), lab(b)
	return math.Sqrt(math.Pow(x[0]-y[0], 2) + math.Pow(x[1]-y[1], 2) + math.Pow(x[2]-y[2], 2))
}

// Every arm's colour stands out from the ground, and no two arms are alike in both
// colour and shape, for whichever cones a reader has.
func TestColoursAreSafe(t *testing.T) {
	css, err := os.ReadFile("assets/page.css")
	require.NoError(t, err)
	schemes := regexp.MustCompile(`:root\{[^}]+\}`).FindAllString(string(css), -1)
	require.Len(t, schemes, 2, "light and dark")
	for i, scheme := range schemes {
		colour := func(name string) rgb {
			m := regexp.MustCompile(`--` + name + `:#([0-9a-f]+)`).FindStringSubmatch(scheme)
			require.Len(t, m, 2, name)
			return parseColour(t, m[1])
		}
		ground := colour("bg")
		var arms []rgb
		for k := range colours {
			c := colour(fmt.Sprintf("a%d", k))
			assert.GreaterOrEqual(t, contrast(c, ground), 3.0, "scheme %d, colour %d on the ground", i, k)
			arms = append(arms, c)
		}
		for _, word := range []string{"pass", "fail", "open", "skip"} {
			assert.GreaterOrEqual(t, contrast(colour(word), colour(word+"-bg")), 4.5, "scheme %d, %s", i, word)
			assert.GreaterOrEqual(t, contrast(colour("fg"), colour(word+"-bg")), 4.5, "scheme %d, text on %s", i, word)
		}
		for name, eye := range eyes {
			for a := range arms {
				for b := range a {
					alike := distance(seen(arms[a], eye), seen(arms[b], eye)) < .08
					assert.False(t, alike && a%chart.Shapes == b%chart.Shapes, "scheme %d, %s: colours %d and %d are alike and so are their shapes", i, name, a, b)
				}
			}
		}
	}
}

// One arm has one look throughout, and up to colours × shapes of them are all different.
func TestEachArmHasItsLook(t *testing.T) {
	p := &palette{}
	looks := map[[2]any]string{}
	for i := range colours * chart.Shapes {
		name := fmt.Sprint("arm", i)
		if i < len(known) {
			name = known[i]
		}
		look := [2]any{p.class(name), p.shape(name)}
		assert.Empty(t, looks[look], "%s looks like it", name)
		looks[look] = name
	}
	assert.Equal(t, "arm-3", p.class("macvlan"))
	other := &palette{}
	other.add("something else")
	assert.Equal(t, p.class("macvlan"), other.class("macvlan"), "whatever else a run has")
}
