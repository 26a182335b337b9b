// Package load sends bounded, open-loop streams of requests through proxies
// and counts who answered.
package load

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds that no flag lifts.
const (
	longest     = 30 * time.Minute
	fastest     = 2000
	outstanding = 1000 // requests of one target that are not answered yet
)

// target is one stream.
type target struct {
	name, url string
	header    http.Header
	client    *http.Client
	admin     string
	before    stats
	waiting   atomic.Int64
}

type result struct {
	target         *target
	revision, fail string
	took           time.Duration
}

// count of one target's answers.
type count struct {
	Requests   int            `json:"requests"`
	Failed     int            `json:"failed"`
	Failures   map[string]int `json:"failures,omitempty"`
	ByRevision map[string]int `json:"by_revision,omitempty"`
	WorstMs    int64          `json:"worst_ms"`
	Envoy      *stats         `json:"envoy,omitempty"`
}

// Main is what the name "load" stands for. One line of JSON a window, and a
// summary at the end; exit code 1 when a request failed.
func Main(args []string) {
	fs := flag.NewFlagSet("load", flag.ExitOnError)
	fs.Usage = func() {
		fmt.Fprint(os.Stderr, "usage: load [flags] PROXY=URL[,HEADER: VALUE…]…\n"+
			"PROXY is sidecar-1, sidecar-2, gateway (of --dir), HOST:PORT of a SOCKS5 proxy, or `direct`.\n"+
			"URL begins with http://; or with tcp:// or https://, for a connection of its own for each request.\n")
		fs.PrintDefaults()
	}
	dir := fs.String("dir", os.Getenv("TESTBED_DIR"), "the cluster's folder")
	rate := fs.Int("rate", 100, "requests a second to each target")
	span := fs.Duration("for", 30*time.Second, "how long")
	window := fs.Duration("window", time.Second, "how often a line is printed; 0: only the summary")
	timeout := fs.Duration("timeout", 2*time.Second, "of one request")
	h2 := fs.Bool("h2c", false, "speak HTTP/2 to the proxies' listeners")
	fs.Parse(args)
	switch {
	case fs.NArg() == 0:
		fs.Usage()
		os.Exit(2)
	case *rate < 1 || *rate > fastest || *span <= 0 || *span > longest:
		fail("--rate is 1 to %d, --for at most %s", fastest, longest)
	}
	var targets []*target
	for _, arg := range fs.Args() {
		targets = append(targets, read(arg, *dir, *timeout, *h2))
	}
	for _, t := range targets {
		t.before, _ = t.stats()
	}
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	results := make(chan result, 4096)
	go send(targets, *rate, *span, stop, results)

	begin := time.Now()
	total, now := map[string]*count{}, map[string]*count{}
	for _, t := range targets {
		total[t.name] = &count{}
	}
	out := json.NewEncoder(os.Stdout)
	var tick <-chan time.Time
	if *window > 0 {
		tick = time.NewTicker(*window).C
	}
	for {
		select {
		case r, ok := <-results:
			if !ok {
				os.Exit(summary(out, targets, total, time.Since(begin)))
			}
			for _, m := range []map[string]*count{total, now} {
				if m[r.target.name] == nil {
					m[r.target.name] = &count{}
				}
				m[r.target.name].add(r)
			}
		case <-tick:
			out.Encode(map[string]any{"t": round(time.Since(begin)), "by": now})
			now = map[string]*count{}
		}
	}
}

func (c *count) add(r result) {
	c.Requests++
	c.WorstMs = max(c.WorstMs, r.took.Milliseconds())
	if r.fail != "" {
		if c.Failures == nil {
			c.Failures = map[string]int{}
		}
		c.Failed++
		c.Failures[r.fail]++
		return
	}
	if c.ByRevision == nil {
		c.ByRevision = map[string]int{}
	}
	c.ByRevision[r.revision]++
}

func summary(out *json.Encoder, targets []*target, total map[string]*count, took time.Duration) int {
	requests, failed := 0, 0
	for _, t := range targets {
		c := total[t.name]
		requests, failed = requests+c.Requests, failed+c.Failed
		if after, ok := t.stats(); ok {
			c.Envoy = &stats{after.Retries - t.before.Retries, after.Answers503 - t.before.Answers503, after.ConnectFailed - t.before.ConnectFailed}
		}
	}
	out.Encode(map[string]any{"summary": true, "seconds": round(took), "requests": requests, "failed": failed, "targets": total})
	if failed > 0 || requests == 0 {
		return 1
	}
	return 0
}

// send keeps the rate whatever the answers are; a request that finds too many
// unanswered ones before it fails without being sent.
func send(targets []*target, rate int, span time.Duration, stop <-chan os.Signal, results chan<- result) {
	var wg sync.WaitGroup
	over := make(chan struct{})
	for _, t := range targets {
		wg.Add(1)
		go func() {
			defer wg.Done()
			begin, sent := time.Now(), 0
			tick := time.NewTicker(max(time.Second/time.Duration(rate), 2*time.Millisecond))
			defer tick.Stop()
			for {
				select {
				case <-over:
					return
				case <-tick.C:
				}
				// A machine that is late catches up: what is due is sent.
				for due := int(time.Since(begin).Seconds() * float64(rate)); sent < due; sent++ {
					if t.waiting.Add(1) > outstanding {
						t.waiting.Add(-1)
						results <- result{target: t, fail: "not sent: too many are unanswered"}
						continue
					}
					wg.Add(1)
					go func() {
						defer wg.Done()
						r := t.one()
						t.waiting.Add(-1)
						results <- r
					}()
				}
			}
		}()
	}
	select {
	case <-time.After(span):
	case <-stop:
	}
	close(over)
	wg.Wait()
	close(results)
}

func (t *target) one() result {
	q, _ := http.NewRequest("GET", t.url, nil)
	q.Header = t.header.Clone()
	begin := time.Now()
	resp, err := t.client.Do(q)
	r := result{target: t}
	if err != nil {
		r.took, r.fail = time.Since(begin), "client: "+cause(err)
		return r
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	resp.Body.Close()
	r.took = time.Since(begin)
	var answer struct{ Labels map[string]string }
	switch {
	case err != nil:
		r.fail = "client: " + cause(err)
	case resp.StatusCode != 200:
		r.fail = fmt.Sprintf("%d %.60s", resp.StatusCode, b)
	case json.Unmarshal(b, &answer) != nil:
		r.fail = fmt.Sprintf("no pod's answer: %.60s", b)
	default:
		r.revision = answer.Labels["rollouts-pod-template-hash"]
		if r.revision == "" {
			r.revision = answer.Labels["pod-template-hash"]
		}
		if r.revision == "" {
			r.revision = answer.Labels["version"]
		}
	}
	return r
}

// cause without addresses, so that like failures count as one.
func cause(err error) string {
	if e, ok := err.(*url.Error); ok {
		if e.Timeout() {
			return "no answer in time"
		}
		err = e.Err
	}
	if e, ok := err.(*net.OpError); ok {
		return e.Op + ": " + e.Err.Error()
	}
	return err.Error()
}

// read PROXY=URL,HEADER: VALUE…
func read(arg, dir string, timeout time.Duration, h2 bool) *target {
	where, rest, ok := strings.Cut(arg, "=")
	if !ok {
		fail("%q: want PROXY=URL", arg)
	}
	parts := strings.Split(rest, ",")
	t := &target{name: arg, url: parts[0], header: http.Header{}}
	for _, h := range parts[1:] {
		k, v, ok := strings.Cut(h, ":")
		if !ok {
			fail("%q: a header is NAME: VALUE", h)
		}
		t.header.Add(strings.TrimSpace(k), strings.TrimSpace(v))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 256}
	// A proxy that does not read the requests decides once for each connection.
	if plain, ok := strings.CutPrefix(t.url, "tcp://"); ok {
		t.url, transport.DisableKeepAlives = "http://"+plain, true
	}
	if strings.HasPrefix(t.url, "https://") {
		transport.DisableKeepAlives, transport.TLSClientConfig = true, &tls.Config{InsecureSkipVerify: true}
	}
	if h2 {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	if where != "direct" {
		socks := where
		if !strings.Contains(where, ":") {
			socks, t.admin = proxy(dir, where)
		}
		u := &url.URL{Scheme: "socks5", Host: socks}
		transport.Proxy = http.ProxyURL(u)
	}
	t.client = &http.Client{Timeout: timeout, Transport: transport}
	return t
}

func proxy(dir, name string) (socks, admin string) {
	b, err := os.ReadFile(dir + "/cluster.json")
	if err != nil {
		fail("no cluster runs in %q: say --dir", dir)
	}
	var d struct {
		Proxies []struct{ Name, Socks, Admin string }
	}
	if err := json.Unmarshal(b, &d); err != nil {
		fail("%s/cluster.json: %v", dir, err)
	}
	for _, p := range d.Proxies {
		if p.Name == name {
			return p.Socks, p.Admin
		}
	}
	fail("the cluster has no proxy %q", name)
	return "", ""
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "load: "+format+"\n", args...)
	os.Exit(2)
}

func round(d time.Duration) float64 { return float64(d.Milliseconds()/10) / 100 }
