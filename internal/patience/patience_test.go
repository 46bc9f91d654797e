package patience

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// growing returns a look whose state is n, with n growing every so often, until
// it is done.
func growing(every, until time.Duration) func(context.Context) (string, bool, error) {
	started := time.Now()
	return func(context.Context) (string, bool, error) {
		passed := time.Since(started)
		return fmt.Sprintf("%d ready", passed/every), passed >= until, nil
	}
}

func pace(f float64) func() float64 { return func() float64 { return f } }

func TestWaitLastsWhileSomethingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Policy{What: "pods", Still: 10 * time.Second}
		if err := Wait(t.Context(), p, growing(8*time.Second, 5*time.Minute)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWaitFailsWhenNothingMoves(t *testing.T) {
	cases := map[string]struct {
		pace func() float64
		want time.Duration
	}{
		"no pace known":      {nil, 10 * time.Second},
		"a machine as usual": {pace(1), 10 * time.Second},
		"half as fast":       {pace(2), 20 * time.Second},
		// The base value holds where the machine is fast.
		"twice as fast": {pace(0.5), 10 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started := time.Now()
				err := Wait(t.Context(), Policy{What: "pods", Still: 10 * time.Second, Pace: c.pace},
					func(context.Context) (string, bool, error) { return "0 of 2 ready", false, nil })
				var e *Error
				if !errors.As(err, &e) || e.Reason != Stuck || e.Last != "0 of 2 ready" || e.Allowed != c.want {
					t.Fatalf("got %+v", err)
				}
				if took := time.Since(started); took < c.want || took > c.want+time.Second {
					t.Fatalf("gave up after %s, want %s", took, c.want)
				}
				for _, part := range []string{"pods", "0 of 2 ready", c.want.String()} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q misses %q", err, part)
					}
				}
			})
		})
	}
}

func TestWaitEndsAtTheLimitThoughSomethingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Policy{What: "pods", Still: 10 * time.Second, Limit: time.Minute, Pace: pace(10)}
		started := time.Now()
		err := Wait(t.Context(), p, growing(time.Second, time.Hour))
		var e *Error
		if !errors.As(err, &e) || e.Reason != Limit || time.Since(started) > 61*time.Second {
			t.Fatalf("after %s: %v", time.Since(started), err)
		}
	})
}

func TestStateThatComesBackIsNoMovement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		err := Wait(t.Context(), Policy{Still: 10 * time.Second}, func(context.Context) (string, bool, error) {
			n++
			return []string{"running", "waiting"}[n%2], false, nil
		})
		var e *Error
		if !errors.As(err, &e) || e.Reason != Stuck {
			t.Fatalf("got %v", err)
		}
	})
}

func TestErrorsHideTheStateAndAreForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		refused := errors.New("connection refused")
		look := func(context.Context) (string, bool, error) {
			switch passed := time.Since(started); {
			case passed < 8*time.Second:
				return "", false, refused
			case passed < 12*time.Second:
				return "1 ready", false, nil
			case passed < 17*time.Second:
				return "", false, refused
			}
			return "", true, nil
		}
		if err := Wait(t.Context(), Policy{Still: 10 * time.Second}, look); err != nil {
			t.Fatal(err)
		}
		err := Wait(t.Context(), Policy{What: "pods", Still: 10 * time.Second},
			func(context.Context) (string, bool, error) { return "", false, refused })
		if !errors.Is(err, refused) || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestFatalErrorEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, forbidden := time.Now(), errors.New("forbidden")
		err := Wait(t.Context(), Policy{What: "pods"}, func(context.Context) (string, bool, error) {
			return "", false, Fatal(forbidden)
		})
		if !errors.Is(err, forbidden) || time.Since(started) > 0 {
			t.Fatalf("after %s: %v", time.Since(started), err)
		}
	})
}

func TestLookThatHangsIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := Wait(t.Context(), Policy{Still: 10 * time.Second, Look: 2 * time.Second},
			func(ctx context.Context) (string, bool, error) {
				looks++
				if looks == 1 {
					<-ctx.Done()
					return "", false, ctx.Err()
				}
				return "", true, nil
			})
		if err != nil || looks != 2 {
			t.Fatalf("%d looks: %v", looks, err)
		}
	})
}

// A process that was frozen for longer than its patience has not seen that
// nothing moved.
func TestFrozenWaiterLooksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := Wait(t.Context(), Policy{Still: 10 * time.Second}, func(context.Context) (string, bool, error) {
			looks++
			if looks == 2 {
				time.Sleep(time.Minute)
			}
			return "starting", looks == 4, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEndOfContextTellsWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := Wait(ctx, Policy{What: "pods"}, func(context.Context) (string, bool, error) { return "1 ready", false, nil })
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 ready") {
			t.Fatalf("got %v", err)
		}
		taken := errors.New("another run has taken the cluster over")
		held, lose := context.WithCancelCause(t.Context())
		lose(taken)
		err = Wait(held, Policy{What: "pods"}, func(ctx context.Context) (string, bool, error) { return "", false, ctx.Err() })
		if !errors.Is(err, taken) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestRetryBacksOffAndTriesAtLeastThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		started, slow := time.Now(), errors.New("webhook: context deadline exceeded")
		p := Policy{Still: 10 * time.Second, Every: time.Second, EveryMax: 4 * time.Second, Look: time.Minute}
		err := Retry(t.Context(), p, func(context.Context) error {
			at = append(at, time.Since(started).Round(100*time.Millisecond))
			time.Sleep(30 * time.Second)
			return slow
		})
		if !errors.Is(err, slow) || len(at) != 3 {
			t.Fatalf("%d tries: %v", len(at), err)
		}
		at, started = nil, time.Now()
		if err := Retry(t.Context(), p, func(context.Context) error {
			at = append(at, time.Since(started).Round(100*time.Millisecond))
			if len(at) < 5 {
				return slow
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := "[0s 1s 2.5s 4.8s 8.1s]"
		if got := fmt.Sprint(at); got != want {
			t.Fatalf("tried at %s, want %s", got, want)
		}
	})
}
