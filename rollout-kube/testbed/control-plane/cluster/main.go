// Package cluster starts a private Kubernetes control plane, and if asked for
// a mesh, in network namespaces of its own.
//
// A cluster is its folder. Whoever holds the lock on FOLDER/lock is its
// supervisor: every other process of the cluster is the supervisor's child (or
// the child of one), and is killed by the kernel when its parent is gone.
package cluster

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const usage = `usage: cluster up [--dir DIR] [--mesh] [--for TIME] [--attached] [--json] …   start one, say how to use it
       cluster down [--dir DIR]                                            stop it
       cluster status [--dir DIR]                                          what runs
       cluster run [--dir DIR] [--in PROXY] -- COMMAND…                    run a command inside its network
       cluster smoke                                                       try it all once
`

// Main is what the name "cluster" stands for.
func Main(args []string) {
	if len(args) == 0 {
		fail(2, "which command?\n%s", usage)
	}
	command, args := args[0], args[1:]
	switch command {
	case "up":
		up(args)
	case "down":
		down(args)
	case "status":
		status(args)
	case "run":
		run(args)
	case "smoke":
		smoke()
	default:
		fail(2, "there is no command %q\n%s", command, usage)
	}
}

// Plan is what `up` was asked for; the supervisor reads it from the folder.
type Plan struct {
	Folder string
	Bin    string // where the programs are
	Istiod string
	Envoy  string
	CRDs   string
	Mesh   bool
	// Relay: what istiod says passes a relay that can keep back endpoints.
	Relay bool
	For   time.Duration // how long it lives at most
	Start time.Duration // until a pod is ready
	Stop  time.Duration // a pod's end takes
	// Audit is the level at which writes are in the audit log.
	Audit string
	// IstiodEnv is added to istiod's environment (NAME=VALUE).
	IstiodEnv []string
	// Ports are the addresses outside, all on 127.0.0.1, by name.
	Ports map[string]int
	// Listeners are the names of the sockets that the supervisor inherits, in order.
	Listeners []string
}

func parse(args []string) (plan Plan, attached, asJSON bool) {
	fs := flag.NewFlagSet("up", flag.ExitOnError)
	self, err := os.Executable()
	check(err)
	bin := filepath.Dir(self)
	dir := folderFlag(fs)
	fs.BoolVar(&plan.Mesh, "mesh", false, "also istiod, two sidecar Envoys and an ingress gateway")
	fs.BoolVar(&plan.Relay, "delay-endpoints", false, "endpoints come to the Envoys as much later as DIR/endpoint-delay says (5s; no file: not at all)")
	fs.DurationVar(&plan.For, "for", 2*time.Hour, "how long it lives at most")
	fs.BoolVar(&attached, "attached", false, "stay in the foreground; the cluster ends with this process, or when standard input ends")
	fs.BoolVar(&asJSON, "json", false, "describe it as one line of JSON (that of DIR/cluster.json)")
	fs.DurationVar(&plan.Start, "start", 500*time.Millisecond, "time until a pod is ready, plus what its readiness probe says")
	fs.DurationVar(&plan.Stop, "stop", time.Second, "time that a pod takes to end; it answers until then")
	fs.StringVar(&plan.Audit, "audit", "RequestResponse", "what of a write is in DIR/audit.jsonl: Metadata, Request or RequestResponse")
	debounce := fs.Duration("debounce", 0, "istiod waits so long for quiet before it pushes (its own default: 100 ms)")
	fs.Func("istiod-env", "NAME=VALUE for istiod; may be repeated", func(s string) error {
		if !strings.Contains(s, "=") {
			return fmt.Errorf("want NAME=VALUE")
		}
		plan.IstiodEnv = append(plan.IstiodEnv, s)
		return nil
	})
	fs.StringVar(&plan.Istiod, "istiod", filepath.Join(bin, "istiod"), "the program")
	fs.StringVar(&plan.Envoy, "envoy", filepath.Join(bin, "envoy"), "the program")
	fs.StringVar(&plan.CRDs, "crds", filepath.Join(filepath.Dir(bin), "crds"), "folder of CustomResourceDefinitions")
	check(fs.Parse(args))
	if fs.NArg() > 0 {
		fail(2, "up takes no %q", fs.Arg(0))
	}
	if plan.For <= 0 || plan.For > 12*time.Hour {
		fail(2, "--for %s: a cluster lives 12 h at most", plan.For)
	}
	if *debounce > 0 {
		plan.IstiodEnv = append(plan.IstiodEnv, "PILOT_DEBOUNCE_AFTER="+debounce.String(), "PILOT_DEBOUNCE_MAX="+(2**debounce).String())
	}
	plan.Folder, plan.Bin = dir(), bin
	plan.Listeners = names(plan.Mesh)
	return plan, attached, asJSON
}

// names of the addresses outside.
func names(mesh bool) []string {
	all := []string{"api"}
	if mesh {
		all = append(all, "istiod", "istiod-elsewhere")
		for _, p := range proxies {
			all = append(all, p.Name, p.Name+"-admin")
		}
	}
	return all
}

// folderFlag adds --dir; its value is read after parsing.
func folderFlag(fs *flag.FlagSet) func() string {
	dir := fs.String("dir", os.Getenv("TESTBED_DIR"), "the cluster's folder (default: $TESTBED_DIR)")
	return func() string {
		if *dir == "" {
			fail(2, "say which folder is the cluster's: --dir DIR")
		}
		path, err := filepath.Abs(*dir)
		check(err)
		return path
	}
}

func fail(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "cluster: "+strings.TrimSuffix(format, "\n")+"\n", args...)
	os.Exit(code)
}

func check(err error) {
	if err != nil {
		fail(1, "%v", err)
	}
}
