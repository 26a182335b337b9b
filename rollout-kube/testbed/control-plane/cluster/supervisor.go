package cluster

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// elsewhere is an address of the cluster's network that is not loopback's.
const elsewhere = "10.253.0.1"

// pods is the range of all pods' addresses; each belongs to this machine.
const pods = "10.244.0.0/16"

type inside struct {
	plan  Plan
	ended chan string // names of processes that ended, with why
	alive map[string]*exec.Cmd
}

// Supervise runs inside the namespaces until it is told to stop, its time is
// over, or a process of the control plane ends. Every child dies with it.
func Supervise(args []string) {
	// Children are killed when the thread ends that started them.
	runtime.LockOSThread()
	ready := os.NewFile(3, "ready")
	s := &inside{ended: make(chan string, 64), alive: map[string]*exec.Cmd{}}
	stop := make(chan os.Signal, 4)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGUSR1)
	giveUp := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		fmt.Fprintln(ready, strings.ReplaceAll(err.Error(), "\n", "\x00"))
		s.killAll()
		os.Exit(1)
	}
	if err := s.begin(args[0]); err != nil {
		giveUp(err)
	}
	up := make(chan error, 1)
	starts := make(chan func())
	go func() { up <- s.all(starts) }()
	over := time.After(s.plan.For)
	for {
		select {
		case f := <-starts: // every child is started by this thread
			f()
		case err := <-up:
			if err != nil {
				giveUp(err)
			}
			if _, err := fmt.Fprintln(ready, "ready"); err != nil {
				giveUp(fmt.Errorf("whoever started the cluster is gone"))
			}
			ready.Close()
		case what := <-s.ended:
			fmt.Fprintln(os.Stderr, "ended:", what)
			name, _, _ := strings.Cut(what, " ")
			if name == "etcd" || name == "kube-apiserver" {
				giveUp(fmt.Errorf("%s\n%s", what, tail(filepath.Join(s.plan.Folder, name+".log"))))
			}
			delete(s.alive, name)
		case <-again: // istiod was killed on purpose
			if _, alive := s.alive["istiod"]; s.plan.Mesh && !alive {
				if err := s.startIstiod(); err != nil {
					giveUp(err)
				}
			}
		case <-over:
			giveUp(fmt.Errorf("its time (%s) is over", s.plan.For))
		case <-stop:
			s.killAll()
			return
		}
	}
}

// begin takes the folder, and makes the network.
func (s *inside) begin(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &s.plan); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another cluster has taken %s", dir)
	}
	lock.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	locked = lock
	return ip(
		"link set lo up",
		"route add local "+pods+" dev lo",
		"address add "+elsewhere+"/32 dev lo",
	)
}

// locked stays open as long as the process lives.
var locked *os.File

// all starts everything, in the order of who needs whom.
func (s *inside) all(starts chan<- func()) error {
	start := func(name string, env []string, args ...string) error {
		done := make(chan error)
		starts <- func() { done <- s.start(name, s.command(name, env, args)) }
		return <-done
	}
	if err := s.relays(); err != nil {
		return err
	}
	if err := s.controlPlane(start); err != nil {
		return err
	}
	if !s.plan.Mesh {
		return writeJSON(filepath.Join(s.plan.Folder, "cluster.json"), describe(s.plan, os.Getpid()))
	}
	if err := s.mesh(starts, start); err != nil {
		return err
	}
	return writeJSON(filepath.Join(s.plan.Folder, "cluster.json"), describe(s.plan, os.Getpid()))
}

// relays leads the addresses outside to those inside.
func (s *inside) relays() error {
	for i, name := range s.plan.Listeners {
		port := s.plan.Ports[name]
		to := ""
		switch name {
		case "api", "istiod":
			to = fmt.Sprintf("127.0.0.1:%d", port)
		case "istiod-elsewhere":
			to = fmt.Sprintf("%s:%d", elsewhere, s.plan.Ports["istiod"])
		default:
			continue // a proxy's host takes it
		}
		l, err := net.FileListener(os.NewFile(uintptr(4+i), name))
		if err != nil {
			return err
		}
		go relay(l, func(net.Conn) (string, error) { return to, nil })
	}
	return nil
}

// command is a program of the folder of programs, called by its name.
func (s *inside) command(name string, env, args []string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.plan.Bin, name), args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func (s *inside) start(name string, cmd *exec.Cmd) error {
	log, err := os.Create(filepath.Join(s.plan.Folder, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.plan.Folder, log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.alive[name] = cmd
	go func() {
		err := cmd.Wait()
		s.ended <- fmt.Sprintf("%s (%v)", name, err)
	}()
	return os.WriteFile(filepath.Join(s.plan.Folder, name+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644)
}

// killAll leaves only the logs.
func (s *inside) killAll() {
	for _, cmd := range s.alive {
		cmd.Process.Kill()
	}
	files, _ := filepath.Glob(filepath.Join(s.plan.Folder, "*.pid"))
	for _, f := range append(files, filepath.Join(s.plan.Folder, "etcd"), filepath.Join(s.plan.Folder, "cluster.json")) {
		os.RemoveAll(f)
	}
}

// ip runs commands of iproute2.
func ip(commands ...string) error {
	for _, c := range commands {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", c, err, out)
		}
	}
	return nil
}
