package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// What the smoke test creates: two versions behind one Service, split by a
// VirtualService, within the mesh and behind the gateway.
const smokeObjects = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec: {host: web, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web}
spec: {selector: {istio: ingressgateway}, servers: [{port: {name: http, number: 9000, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [web]
  http: [{route: [{weight: 75, destination: {host: web, subset: v1}}, {weight: 25, destination: {host: web, subset: v2}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web-mesh}
spec:
  hosts: [web]
  http: [{route: [{weight: 75, destination: {host: web, subset: v1}}, {weight: 25, destination: {host: web, subset: v2}}]}]
`

const smokePods = `
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-%[1]s}
spec:
  replicas: 2
  selector: {matchLabels: {app: web, version: %[1]s}}
  template:
    metadata: {labels: {app: web, version: %[1]s}}
    spec: {containers: [{name: c, image: "web:%[1]s"}]}
`

// smoke brings up a cluster with a mesh, sends requests through each Envoy,
// asks the plugin, stops the cluster, and looks whether anything is left.
func smoke() {
	dir, err := os.MkdirTemp("", "testbed-smoke-")
	check(err)
	self, err := os.Executable()
	check(err)
	bin := filepath.Dir(self)
	began := time.Now()
	step := func(what string, args ...any) {
		fmt.Printf("%5.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(what, args...))
	}
	up := exec.Command(filepath.Join(bin, "cluster"), "up", "--attached", "--json", "--mesh", "--for", "10m", "--dir", filepath.Join(dir, "c"))
	up.Stderr = os.Stderr
	hold, err := up.StdinPipe()
	check(err)
	out, err := up.StdoutPipe()
	check(err)
	check(up.Start())
	var d Description
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&d); err != nil {
		fail(1, "it did not come up (%v); its logs are in %s", err, dir)
	}
	step("up: API server, controllers, istiod, %d Envoys", len(d.Proxies))
	say := func(stdin, name string, args ...string) string {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+d.Kubeconfig, "PATH="+bin+":"+os.Getenv("PATH"), "TESTBED_DIR="+d.Folder)
		cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), os.Stderr
		b, err := cmd.Output()
		if err != nil {
			fail(1, "%s %s: %v\n%s", name, strings.Join(args, " "), err, b)
		}
		return strings.TrimSpace(string(b))
	}
	say(smokeObjects+fmt.Sprintf(smokePods, "v1")+fmt.Sprintf(smokePods, "v2"), "kubectl", "apply", "-f", "-")
	for _, v := range []string{"v1", "v2"} {
		say("", "kubectl", "wait", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=60s", "replicaset/web-"+v)
	}
	step("4 pods are ready")
	var targets []string
	for _, p := range d.Proxies {
		url := "http://web:8000/"
		if p.Name == "gateway" {
			url = "http://anything:9000/"
		}
		targets = append(targets, p.Name+"="+url)
		check(until(30*time.Second, p.Name+" answers", func() error {
			return exec.Command(filepath.Join(bin, "load"), "--dir", d.Folder, "--rate", "20", "--for", "200ms", "--window", "0", p.Name+"="+url).Run()
		}))
	}
	var sum struct {
		Requests, Failed int
		Targets          map[string]struct {
			ByRevision map[string]int `json:"by_revision"`
		}
	}
	check(json.Unmarshal([]byte(say("", "load", append([]string{"--rate", "100", "--for", "4s", "--window", "0"}, targets...)...)), &sum))
	for _, t := range targets {
		by := sum.Targets[t].ByRevision
		v1, v2 := by["v1"], by["v2"]
		// 25 % of 400: five times the standard deviation is 43.
		if v1+v2 < 390 || v2 < 57 || v2 > 143 {
			fail(1, "%s: %d answers of v1, %d of v2; 300 and 100 were expected", t, v1, v2)
		}
		step("%s: %d answers of v1, %d of v2", t, v1, v2)
	}
	step("%d requests, %d failed", sum.Requests, sum.Failed)
	step("plugin: %s", say("", "kubectl", "argo", "rollouts", "version", "--short"))
	say("", "kubectl", "argo", "rollouts", "list", "rollouts")
	hold.Close()
	up.Wait()
	check(until(5*time.Second, "nothing is left", func() error {
		if left := mentions(d.Folder); len(left) > 0 {
			return fmt.Errorf("left: %v", left)
		}
		return nil
	}))
	step("down, and nothing is left")
	check(os.RemoveAll(dir))
}

// mentions are the processes whose command line names a folder, us aside.
func mentions(dir string) (left []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), dir) {
			left = append(left, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return left
}
