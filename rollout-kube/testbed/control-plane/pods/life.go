package pods

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// life is what a pod's spec says that it will do.
type life struct {
	ready time.Duration // after its start; negative: never
	lasts time.Duration // of a pod that runs to completion
	exit  int
	fault string // why it cannot run
}

// pulls says whether its image can be had: otherwise its containers wait for ever, as they do for a kubelet.
func (l life) pulls() bool { return l.fault != "ImagePullBackOff" }

var (
	sleepRE = regexp.MustCompile(`sleep[ ",\]]+([0-9]+)`)
	exitRE  = regexp.MustCompile(`exit ([0-9]+)`)
	badRE   = regexp.MustCompile(`(^|[/:-])(bad-command|bad|error|does-not-exist|nonexistent)`)
)

// slept is how long a command sleeps.
func slept(command []string) time.Duration {
	if m := sleepRE.FindStringSubmatch(strings.Join(command, " ")); m != nil {
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n) * time.Second
	}
	return 0
}

func (r *runner) read(p *corev1.Pod) life {
	l := life{ready: r.start}
	for _, c := range p.Spec.Containers {
		command := append(append([]string{}, c.Command...), c.Args...)
		text := strings.Join(command, " ")
		if badRE.MatchString(text) {
			return life{ready: -1, exit: 127, fault: "RunContainerError"}
		}
		if badRE.MatchString(c.Image) {
			return life{ready: -1, exit: 127, fault: "ImagePullBackOff"}
		}
		if c.ReadinessProbe != nil {
			l.ready += time.Duration(c.ReadinessProbe.InitialDelaySeconds) * time.Second
		}
		if h := c.Lifecycle; h != nil && h.PostStart != nil && h.PostStart.Exec != nil {
			l.ready += slept(h.PostStart.Exec.Command)
		}
		l.lasts = max(l.lasts, slept(command))
		if m := exitRE.FindStringSubmatch(text); m != nil {
			l.exit, _ = strconv.Atoi(m[1])
		}
	}
	if d, err := time.ParseDuration(p.Annotations["testbed/ready-after"]); err == nil {
		l.ready = d
	}
	if p.Annotations["testbed/never-ready"] == "true" {
		l.ready = -1
	}
	return l
}
