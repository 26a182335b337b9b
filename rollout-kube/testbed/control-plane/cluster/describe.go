package cluster

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Description is what others need to know to use the cluster: one line of JSON
// in FOLDER/cluster.json. Addresses of the API server and of istiod are the same
// inside and outside; the others are for outside.
type Description struct {
	Folder string `json:"folder"`
	// Bin has kubectl, kubectl-argo-rollouts, load and requests.
	Bin string `json:"bin"`
	// Kubeconfig is that of an admin.
	Kubeconfig string `json:"kubeconfig"`
	// Controller may do the same under another name; its requests are in Audit.
	Controller string `json:"controller_kubeconfig"`
	Audit      string `json:"audit"`
	// Istiod answers its debug paths to anybody who comes from loopback.
	Istiod string `json:"istiod,omitempty"`
	// IstiodElsewhere is the same, as somebody sees it who does not.
	IstiodElsewhere string             `json:"istiod_elsewhere,omitempty"`
	Proxies         []ProxyDescription `json:"proxies,omitempty"`
	// Supervisor is the process that all others depend on.
	Supervisor int `json:"supervisor"`
}

// ProxyDescription is one Envoy.
type ProxyDescription struct {
	Name string `json:"name"`
	// Socks is a SOCKS5 proxy (HOST:PORT) to the Envoy's listeners: a client that
	// connects to NAME:PORT through it meets the Envoy's listener on PORT.
	Socks string `json:"socks"`
	Admin string `json:"admin"`
}

func describe(plan Plan, pid int) Description {
	address := func(name string) string { return fmt.Sprintf("127.0.0.1:%d", plan.Ports[name]) }
	d := Description{
		Folder: plan.Folder, Bin: plan.Bin, Supervisor: pid,
		Kubeconfig: filepath.Join(plan.Folder, "kubeconfig"),
		Controller: filepath.Join(plan.Folder, "controller.kubeconfig"),
		Audit:      filepath.Join(plan.Folder, "audit.jsonl"),
	}
	if plan.Mesh {
		d.Istiod, d.IstiodElsewhere = "http://"+address("istiod"), "http://"+address("istiod-elsewhere")
		for _, p := range proxies {
			d.Proxies = append(d.Proxies, ProxyDescription{p.Name, address(p.Name), "http://" + address(p.Name+"-admin")})
		}
	}
	return d
}

// exports is the same for a shell.
func exports(plan Plan) string {
	d := describe(plan, 0)
	var b strings.Builder
	say := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, quoted(value)) }
	say("TESTBED_DIR", d.Folder)
	say("KUBECONFIG", d.Kubeconfig)
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quoted(d.Bin))
	if plan.Mesh {
		say("ISTIOD", d.Istiod)
		say("ISTIOD_ELSEWHERE", d.IstiodElsewhere)
		for _, p := range d.Proxies {
			name := strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))
			say(name, "socks5h://"+p.Socks)
			say(name+"_ADMIN", p.Admin)
		}
	}
	return b.String()
}

func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-:", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
