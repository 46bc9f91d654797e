package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/htmlreport"
	"github.com/cniperf/cniperf/internal/journal"
)

// index lists the runs, the newest first. A folder that can't be read is listed with
// the reason.
func (s *Server) index(w io.Writer, _ *http.Request) error {
	dirs, err := journal.List(s.runs)
	if err != nil {
		return missing{err}
	}
	var list []htmlreport.Listed
	for _, dir := range dirs {
		name := filepath.Base(dir)
		if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
			continue // runs/latest is listed by its own name
		}
		l := htmlreport.Listed{Name: name, Link: "/run/" + url.PathEscape(name)}
		brief, err := journal.ReadBrief(dir)
		if err != nil {
			l.Damage = err.Error()
		}
		l.Profile, l.Started, l.End = brief.Header.Profile, brief.Header.Started, brief.End
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(a, b htmlreport.Listed) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(a.Name, b.Name))
	})
	return htmlreport.Index(w, s.runs, list, s.texts)
}

// dir is the folder of a run that is listed: a name leads nowhere else.
func (s *Server) dir(name string) (string, error) {
	dirs, err := journal.List(s.runs)
	if err != nil {
		return "", missing{err}
	}
	i := slices.IndexFunc(dirs, func(d string) bool { return filepath.Base(d) == name })
	if i < 0 {
		return "", missing{fmt.Errorf("there is no run %q in %s", name, s.runs)}
	}
	return dirs[i], nil
}

func (s *Server) report(w io.Writer, r *http.Request) error {
	name := r.PathValue("name")
	dir, err := s.dir(name)
	if err != nil {
		return err
	}
	run, err := htmlreport.Read(dir)
	if err != nil {
		return err
	}
	return htmlreport.New(run, s.figures, s.texts).Served(w, "/", "/run/"+url.PathEscape(name)+"/events")
}

func (s *Server) compare(w io.Writer, r *http.Request) error {
	var runs [2]*history.Run
	for i, key := range []string{"old", "new"} {
		dir, err := s.dir(r.FormValue(key))
		if err != nil {
			return err
		}
		if runs[i], err = history.Read(dir); err != nil {
			return err
		}
	}
	c, err := history.Compare(runs[0], runs[1])
	if err != nil {
		return err
	}
	return htmlreport.Compare(w, c, s.texts, "/")
}

func (s *Server) history(w io.Writer, r *http.Request) error {
	dirs, err := journal.List(s.runs)
	if err != nil {
		return missing{err}
	}
	runs, left := history.ReadAll(dirs)
	if profile := r.FormValue("profile"); profile != "" {
		runs = slices.DeleteFunc(runs, func(n *history.Run) bool { return n.Profile != profile })
	}
	if len(runs) == 0 {
		return missing{errors.New("no run of that profile can be read")}
	}
	h, err := history.New(runs, s.rule)
	if err != nil {
		return err
	}
	h.LeftOut = append(h.LeftOut, left...)
	return htmlreport.History(w, h, s.texts, "/")
}

// events tells a page that a run's journal has grown, as server-sent events, until the
// page goes.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	dir, err := s.dir(r.PathValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	seen := int64(-1)
	for {
		info, err := os.Stat(filepath.Join(dir, journal.FileName))
		if err != nil {
			return // the folder was removed
		}
		// At once as well: the journal may have grown since the page was made.
		if size := info.Size(); size != seen {
			_, err = fmt.Fprintf(w, "event: changed\ndata: %d\n\n", size)
			seen = size
		}
		if err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
