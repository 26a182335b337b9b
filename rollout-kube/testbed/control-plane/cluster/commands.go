package cluster

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// down stops the cluster; that none runs is no error.
func down(args []string) {
	fs := flag.NewFlagSet("down", flag.ExitOnError)
	dir := folderFlag(fs)
	check(fs.Parse(args))
	pid := supervisor(dir())
	if pid == 0 {
		fmt.Println("no cluster runs in", dir())
		return
	}
	syscall.Kill(pid, syscall.SIGTERM)
	for i := 0; supervisor(dir()) == pid; i++ {
		if i == 100 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if i == 200 {
			fail(1, "process %d does not end", pid)
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println("stopped; its logs are in", dir())
}

// status says what runs, and with which memory.
func status(args []string) {
	fs := flag.NewFlagSet("status", flag.ExitOnError)
	dir := folderFlag(fs)
	check(fs.Parse(args))
	pid := supervisor(dir())
	if pid == 0 {
		fail(1, "no cluster runs in %s", dir())
	}
	fmt.Printf("%-24s %8s  %-8s %s\n", "process", "pid", "state", "memory")
	show := func(name string, pid int) {
		state, memory := "ended", "-"
		if f := fields(pid); f != nil {
			state = map[string]string{"T": "stopped", "Z": "ended"}[f["State"]]
			if state == "" {
				state = "runs"
			}
			if kb, err := strconv.Atoi(f["VmRSS"]); err == nil {
				memory = fmt.Sprintf("%d MB", kb/1024)
			}
		}
		fmt.Printf("%-24s %8d  %-8s %s\n", name, pid, state, memory)
	}
	show("supervisor", pid)
	files, _ := filepath.Glob(filepath.Join(dir(), "*.pid"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			show(strings.TrimSuffix(filepath.Base(f), ".pid"), pid)
		}
	}
	var plan Plan
	b, err := os.ReadFile(filepath.Join(dir(), "plan.json"))
	check(err)
	check(json.Unmarshal(b, &plan))
	fmt.Printf("\n%s", exports(plan))
}

// fields of /proc/PID/status, the first word of each.
func fields(pid int) map[string]string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	m := map[string]string{}
	for _, line := range strings.Split(string(b), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok {
			if f := strings.Fields(value); len(f) > 0 {
				m[key] = f[0]
			}
		}
	}
	return m
}

// run becomes a command inside the cluster's network, or inside a proxy's.
func run(args []string) {
	fs := flag.NewFlagSet("run", flag.ExitOnError)
	dir := folderFlag(fs)
	in := fs.String("in", "", "a proxy (sidecar-1, sidecar-2, gateway) instead of the cluster's own network")
	check(fs.Parse(args))
	if fs.NArg() == 0 {
		fail(2, "which command?\n%s", usage)
	}
	pid := supervisor(dir())
	if pid == 0 {
		fail(1, "no cluster runs in %s", dir())
	}
	if *in != "" {
		b, err := os.ReadFile(filepath.Join(dir(), *in+"-host.pid"))
		if err != nil {
			fail(1, "there is no proxy %q here", *in)
		}
		pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		fail(1, "there is no `nsenter`: apt-get install util-linux")
	}
	self, err := os.Executable()
	check(err)
	env := append(os.Environ(), "PATH="+filepath.Dir(self)+":"+os.Getenv("PATH"), "TESTBED_DIR="+dir())
	if os.Getenv("KUBECONFIG") == "" {
		env = append(env, "KUBECONFIG="+filepath.Join(dir(), "kubeconfig"))
	}
	check(syscall.Exec(nsenter, append([]string{"nsenter", "--preserve-credentials", "-U", "-n", "-t", strconv.Itoa(pid), "--"}, fs.Args()...), env))
}

// supervisor is the process that holds the folder's lock, 0 if there is none.
func supervisor(dir string) int {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return 0
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0
	}
	b, _ := os.ReadFile(filepath.Join(dir, "lock"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}
