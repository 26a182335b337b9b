// Package requests counts what one user asked an API server for, from its
// audit log.
package requests

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"
)

type event struct {
	Stage     string
	Verb      string
	User      struct{ Username string }
	ObjectRef struct{ Resource, Subresource, Name, Namespace string }
	Response  struct{ Code int } `json:"responseStatus"`
	Received  time.Time          `json:"requestReceivedTimestamp"`
}

// Main is what the name "requests" stands for: a line a verb and kind, and
// their sum. Watches are counted apart; events, too.
func Main(args []string) {
	fs := flag.NewFlagSet("requests", flag.ExitOnError)
	file := fs.String("log", filepath.Join(os.Getenv("TESTBED_DIR"), "audit.jsonl"), "the audit log")
	user := fs.String("user", "controller", "whose requests")
	since := fs.String("since", "", "only those after this moment (RFC 3339)")
	list := fs.Bool("list", false, "each request on a line of its own")
	fs.Parse(args)
	var after time.Time
	if *since != "" {
		t, err := time.Parse(time.RFC3339Nano, *since)
		if err != nil {
			fmt.Fprintln(os.Stderr, "requests:", err)
			os.Exit(2)
		}
		after = t
	}
	f, err := os.Open(*file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "requests:", err)
		os.Exit(1)
	}
	defer f.Close()
	counts, total := map[string]int{}, 0
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 1<<20), 1<<26)
	for s.Scan() {
		var e event
		if json.Unmarshal(s.Bytes(), &e) != nil || e.User.Username != *user || e.Received.Before(after) {
			continue
		}
		if e.Stage != "ResponseComplete" && !(e.Stage == "ResponseStarted" && e.Verb == "watch") && e.Stage != "Panic" {
			continue
		}
		if e.Stage == "ResponseComplete" && e.Verb == "watch" {
			continue // counted when it began
		}
		what := e.ObjectRef.Resource
		if what == "" {
			what = "(no object)"
		}
		if e.ObjectRef.Subresource != "" {
			what += "/" + e.ObjectRef.Subresource
		}
		if *list {
			fmt.Printf("%s %-7s %-32s %s/%s %d\n", e.Received.Format("15:04:05.000"), e.Verb, what, e.ObjectRef.Namespace, e.ObjectRef.Name, e.Response.Code)
		}
		counts[e.Verb+" "+what]++
		if e.Verb != "watch" && e.ObjectRef.Resource != "events" && e.ObjectRef.Resource != "" {
			total++
		}
	}
	if err := s.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "requests:", err)
		os.Exit(1)
	}
	kinds := make([]string, 0, len(counts))
	for k := range counts {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		fmt.Printf("%6d  %s\n", counts[k], k)
	}
	fmt.Printf("%6d  in all, watches, events and requests without an object aside\n", total)
}
