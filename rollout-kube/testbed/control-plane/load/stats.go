package load

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// stats are an Envoy's own counts, of all its clusters that lead to pods.
type stats struct {
	Retries       int `json:"retries"`
	Answers503    int `json:"answers_503"`
	ConnectFailed int `json:"connect_failed"`
}

func (t *target) stats() (s stats, ok bool) {
	if t.admin == "" {
		return s, false
	}
	client := http.Client{Timeout: 2 * time.Second}
	r, err := client.Get(t.admin + "/stats?format=json&filter=upstream_rq_retry$|upstream_cx_connect_fail$|upstream_rq_503$")
	if err != nil {
		return s, false
	}
	defer r.Body.Close()
	var all struct {
		Stats []struct {
			Name  string
			Value any
		}
	}
	if json.NewDecoder(r.Body).Decode(&all) != nil {
		return s, false
	}
	for _, one := range all.Stats {
		v, isNumber := one.Value.(float64)
		// Answers are counted a second time, by who asked (external, internal).
		if !isNumber || !strings.HasPrefix(one.Name, "cluster.outbound") || strings.Contains(one.Name, "ternal.upstream_rq_") {
			continue
		}
		switch {
		case strings.HasSuffix(one.Name, ".upstream_rq_retry"):
			s.Retries += int(v)
		case strings.HasSuffix(one.Name, ".upstream_rq_503"):
			s.Answers503 += int(v)
		case strings.HasSuffix(one.Name, ".upstream_cx_connect_fail"):
			s.ConnectFailed += int(v)
		}
	}
	return s, true
}
