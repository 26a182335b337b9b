package cluster

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// up makes the addresses outside, hands them to a supervisor inside new
// namespaces, and waits until it says that all is up.
func up(args []string) {
	plan, attached, asJSON := parse(args)
	programs(plan)
	check(empty(plan.Folder))
	files := []*os.File{}
	plan.Ports = map[string]int{}
	for _, name := range plan.Listeners {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		check(err)
		plan.Ports[name] = l.Addr().(*net.TCPAddr).Port
		f, err := l.(*net.TCPListener).File()
		check(err)
		files = append(files, f)
	}
	check(writeJSON(filepath.Join(plan.Folder, "plan.json"), plan))

	said, say, err := os.Pipe()
	check(err)
	log, err := os.Create(filepath.Join(plan.Folder, "supervisor.log"))
	check(err)
	self, err := os.Executable()
	check(err)
	cmd := exec.Command(self, plan.Folder)
	cmd.Args[0] = "cluster-supervisor"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = append([]*os.File{say}, files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Setsid:      true,
	}
	if attached {
		// The signal comes when the thread ends that starts the child: keep it.
		runtime.LockOSThread()
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := cmd.Start(); err != nil {
		fail(1, "cannot make namespaces for the cluster: %v\nthe machine must allow user namespaces (try: unshare -Urn true; "+
			"on Ubuntu: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)", err)
	}
	say.Close()
	for _, f := range files {
		f.Close()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop := make(chan os.Signal, 4)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if attached {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			stop <- syscall.SIGTERM
		}()
	}
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(said).ReadString('\n')
		ready <- strings.TrimSpace(line)
	}()
	select {
	case line := <-ready:
		if line != "ready" {
			cmd.Process.Kill()
			if line == "" {
				line = "the supervisor ended\n" + tail(filepath.Join(plan.Folder, "supervisor.log"))
			}
			fail(1, "%s", strings.ReplaceAll(line, "\x00", "\n"))
		}
	case <-stop:
		cmd.Process.Kill()
		fail(1, "stopped before it was up")
	}
	description, err := os.ReadFile(filepath.Join(plan.Folder, "cluster.json"))
	check(err)
	if asJSON {
		os.Stdout.Write(description)
	} else {
		fmt.Print(exports(plan))
	}
	if !attached {
		return
	}
	select {
	case <-ended:
		fail(1, "the cluster ended by itself: see %s", filepath.Join(plan.Folder, "supervisor.log"))
	case <-stop:
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
		}
	}
}

// programs says what is missing before anything is started.
func programs(plan Plan) {
	need := []string{plan.CRDs}
	if plan.Mesh {
		need = append(need, plan.Istiod, plan.Envoy)
	}
	for _, path := range need {
		if _, err := os.Stat(path); err != nil {
			fail(1, "there is no %s: `cargo xtask testbed build` makes it", path)
		}
	}
	if _, err := exec.LookPath("ip"); err != nil {
		fail(1, "there is no `ip`: apt-get install iproute2")
	}
}

// empty makes the folder new, unless a cluster runs there or it is not one's.
func empty(dir string) error {
	if pid := supervisor(dir); pid != 0 {
		return fmt.Errorf("a cluster runs in %s already (process %d): `cluster down` stops it", dir, pid)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, "plan.json")); err != nil {
			return fmt.Errorf("%s is not empty and not a cluster's folder", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// tail is the end of a log.
func tail(path string) string {
	b, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
