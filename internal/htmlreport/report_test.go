package htmlreport

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cniperf/cniperf/internal/journal"
	"github.com/cniperf/cniperf/internal/measure"
)

var update = flag.Bool("update", false, "write the golden files anew")

func page(t *testing.T, run *journal.Run) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, New(run, figures(), English{}).HTML(&b))
	return b.String()
}

var own = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`)

// golden holds a page without its style and script against the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = own.ReplaceAllString(got, "<$1></$1>")
	got = regexp.MustCompile(`sha256-.*?=&#39;`).ReplaceAllString(got, "sha256-…&#39;")
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update if the change is meant")
}

func TestGolden(t *testing.T) {
	golden(t, "report.html", page(t, finished(t)))
	for range 3 { // no order may come from a map
		assert.Equal(t, page(t, finished(t)), page(t, finished(t)))
	}
}

// What a page may do is what its policy lists: its own style and script, by hash.
func TestThePolicyIsThatOfThePage(t *testing.T) {
	text := page(t, finished(t))
	found := own.FindAllString(text, -1)
	require.Len(t, found, 2)
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]+)"`).FindStringSubmatch(text)
	require.Len(t, policy, 2)
	assert.True(t, strings.HasPrefix(policy[1], "default-src &#39;none&#39;;"), policy[1])
	assert.NotContains(t, policy[1], "unsafe")
	for _, element := range found {
		_, inner, _ := strings.Cut(element, ">")
		inner = inner[:strings.LastIndex(inner, "<")]
		sum := sha256.Sum256([]byte(inner))
		assert.Contains(t, html.UnescapeString(policy[1]), "sha256-"+base64.StdEncoding.EncodeToString(sum[:]))
	}
	assert.Empty(t, regexp.MustCompile(`(?i)(href|src)="?(https?:|//)`).FindAllString(text, -1), "nothing leads out of the page")
	assert.NotContains(t, text, " style=")
}

// Every journal gives a page that parses, says what it is, and lets nothing in.
func TestEveryStateHasItsPage(t *testing.T) {
	says := map[string]string{
		"finished": "1 of 2 gates could not be decided", "going": "recorded no end: it goes on", "interrupted": "INTERRUPTED", "empty": "no sample",
		"one-arm": "Only macvlan was measured", "newer-plan": "written by a newer cniperf", "all-invalid": "No valid round", "torn": "is torn", "hostile": "script",
	}
	for name, run := range states(t) {
		t.Run(name, func(t *testing.T) {
			text := page(t, run)
			require.NotEmpty(t, says[name])
			assert.Contains(t, html.UnescapeString(text), says[name])
			var elements []string
			walk(parse(t, text), func(n *html.Node) {
				elements = append(elements, n.Data)
				for _, a := range n.Attr {
					assert.False(t, strings.HasPrefix(a.Key, "on"), "%s has %s", n.Data, a.Key)
				}
				if n.Data == "svg" && attribute(n, "class") == "picture" {
					assert.NotEmpty(t, attribute(n, "aria-label"))
				}
			})
			assert.Equal(t, 1, strings.Count(strings.Join(elements, " ")+" ", "script "))
			assert.NotContains(t, elements, "img")
			for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "%!"} {
				assert.NotContains(t, own.ReplaceAllString(text, ""), bad)
			}
		})
	}
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)
	return root
}

func walk(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// The text alternative of a picture states what it shows.
func TestPicturesStateTheirFinding(t *testing.T) {
	text := html.UnescapeString(page(t, finished(t)))
	assert.Contains(t, text, "latency, lower is better. macvlan")
	assert.Contains(t, text, "requests, higher is better. cilium has the best median")
	assert.Contains(t, text, "17 rounds in 2 comparisons over 6m0s: 1 were dropped and 2 more were disturbed and count.")
}

// A run that goes on is judged by its rounds so far; one that ended by its own words.
func TestVerdictsOfARunThatGoesOn(t *testing.T) {
	going := states(t)["going"]
	r := New(going, nil, English{})
	outcomes := map[string]string{}
	for _, v := range r.verdicts {
		outcomes[v.Name] = string(v.Outcome)
	}
	assert.Equal(t, "pass", outcomes["macvlan-over-calico"])
	assert.Equal(t, "skipped", outcomes["never-measured"])
	ended := finished(t)
	ended.Verdicts[0].Outcome = "inconclusive"
	assert.Equal(t, "inconclusive", string(New(ended, nil, English{}).verdicts[0].Outcome), "what was recorded stands")
}

func TestNamesThatGiveOneLinkAreSetApart(t *testing.T) {
	e := newExample(t)
	for _, name := range []string{"a b", "a/b", "a-b", "a-b-2"} {
		e.round(name, journal.PhaseFull, "sockperf-latency", measure.PodIP, 1, 1, false, measure.Latency, []string{"macvlan"}, 9)
	}
	seen := map[string]bool{}
	for _, c := range New(&e.Run, nil, English{}).body().Comparisons {
		assert.False(t, seen[c.ID], c.ID)
		seen[c.ID] = true
	}
	assert.Len(t, seen, 4)
}

func TestRawOutputIsInThePageUpToABudget(t *testing.T) {
	dir := t.TempDir()
	run := finished(t)
	w, err := journal.Create(dir, run.Header)
	require.NoError(t, err)
	small, err := w.StoreRaw([]byte("what \x1b[2;35m<the>\x1b[0m tool\x00said"))
	require.NoError(t, err)
	large, err := w.StoreRaw(bytes.Repeat([]byte("x"), rawMost+1))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	run.Dir = dir
	run.Samples[0].Raw, run.Samples[1].Raw, run.Samples[2].Raw = small, large, strings.Repeat("0", 64)
	text := page(t, run)
	assert.Contains(t, text, "what &lt;the&gt; tool\ufffdsaid")
	assert.NotContains(t, text, strings.Repeat("x", 100))
	assert.Contains(t, text, "only in the run")
	assert.Contains(t, text, "no such file")
}

func TestWriteMakesTheFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Write(dir, finished(t), nil))
	b, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(b, []byte("<!doctype html>")))
	assert.ErrorContains(t, Write(filepath.Join(dir, "none"), finished(t), nil), FileName)
}

// A run of any length makes a page that a browser can hold, which says what it leaves
// out; what was wrong is always in it.
func TestALongRunMakesAUsablePage(t *testing.T) {
	e := newExample(t)
	const rounds = 5000
	for i := range rounds {
		e.round("pod-ip-latency", journal.PhaseFull, "sockperf-latency", measure.PodIP, i+1, 1, i == rounds-1, measure.Latency, []string{"macvlan"}, 9)
	}
	text := html.UnescapeString(page(t, &e.Run))
	assert.Less(t, len(text), 6<<20)
	for _, want := range []string{
		"999 samples are not listed here", "round 5000, attempt 1, place 1: macvlan", "It does not count: the stream was cut", "one round in 10 is drawn",
		"of ordinary rounds one in 3 is drawn", "5000 rounds in 1 comparisons",
	} {
		assert.Contains(t, text, want)
	}
	for i := range e.Samples {
		e.Samples[i].Command, e.Samples[i].Checks = nil, nil // as journal.ReadValues gives them
	}
	assert.Contains(t, page(t, &e.Run), "4999 samples are not listed here")
}

func TestReadTakesTheEvidenceOfAnOrdinaryRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	run := finished(t)
	w, err := journal.Create(dir, run.Header)
	require.NoError(t, err)
	require.NoError(t, w.Append(run.Samples[0]))
	require.NoError(t, w.Close())
	read, err := Read(dir)
	require.NoError(t, err)
	assert.NotEmpty(t, read.Samples[0].Checks)
	require.NoError(t, os.WriteFile(filepath.Join(dir, journal.FileName), []byte(`{"v":99,"type":"header","time":"","data":{},"sum":""}`+"\n"), 0o600))
	_, err = Read(dir)
	assert.ErrorContains(t, err, "line 1 has format version 99, this cniperf reads 1")
	_, err = Read(filepath.Join(dir, "none"))
	assert.ErrorContains(t, err, "is not a run folder")
}
