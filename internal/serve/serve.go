// Package serve shows recorded runs in a browser of the same machine: a list of them,
// the report of each, two side by side, their history, and a run that goes on as its
// rounds come. It reads run folders and writes nothing.
package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/cniperf/cniperf/internal/history"
	"github.com/cniperf/cniperf/internal/htmlreport"
)

// Server shows the runs below a folder.
type Server struct {
	runs    string
	figures htmlreport.Figures
	rule    history.Rule
	texts   htmlreport.Texts
	every   time.Duration // between two looks at a journal that grows
}

// New shows the runs below a folder, beside published figures, which may be nil. The
// rule is the one for their history.
func New(runs string, figures htmlreport.Figures, rule history.Rule, texts htmlreport.Texts) *Server {
	return &Server{runs: runs, figures: figures, rule: rule, texts: texts, every: time.Second}
}

// Listen opens an address of the loopback interface. Any other is refused: whoever
// reaches the pages reads everything that runs recorded.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w; want HOST:PORT, as 127.0.0.1:8080", address, err)
	}
	if !loopback(host) {
		return nil, fmt.Errorf("address %q is not of the loopback interface: use 127.0.0.1:PORT, and a tunnel such as ssh -L from elsewhere", address)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Serve answers until the context ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() }) // every answer is made anew when it is asked for again
	defer stopped()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	}
	return nil
}

// Handler answers requests. It takes only GET and HEAD, and only for a name of this
// machine: a page of elsewhere must not read the runs by a name that leads here.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.index))
	mux.HandleFunc("GET /run/{name}", s.page(s.report))
	mux.HandleFunc("GET /run/{name}/events", s.events)
	mux.HandleFunc("GET /compare", s.page(s.compare))
	mux.HandleFunc("GET /history", s.page(s.history))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !loopback(host) {
			http.Error(w, "this server answers only to localhost", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// missing is an error about something that is not there.
type missing struct{ error }

// page answers with what write makes, or with its error as a page of its own.
func (s *Server) page(write func(io.Writer, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		err := write(&b, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err != nil {
			code := http.StatusInternalServerError
			if errors.As(err, new(missing)) {
				code = http.StatusNotFound
			}
			b.Reset()
			if e := htmlreport.Sorry(&b, err, s.texts, "/"); e != nil {
				http.Error(w, e.Error(), code)
				return
			}
			w.WriteHeader(code)
		}
		_, _ = w.Write(b.Bytes()) // whoever asked is gone
	}
}
