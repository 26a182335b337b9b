// Package pods plays every node's kubelet: it binds pods, gives them addresses,
// makes them ready (or not), lets them answer requests, and lets them end.
//
// What a pod does is read from its spec: readinessProbe.initialDelaySeconds,
// lifecycle.postStart/preStop `sleep N`, a command or image that cannot run,
// and for run-to-completion pods `sleep N` and `exit N`.
// Readiness gates are honoured: whoever sets the gate's condition makes the pod
// ready. The annotations testbed/ready-after (Go duration) and testbed/never-ready
// ("true") override; testbed/answers-500 (of a hundred) makes its answers bad.
package pods

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

// Proxy is the annotation of a Pod that stands for a process which somebody
// else starts: it is let be, and gone as soon as it is deleted.
const Proxy = "testbed/proxy"

// Bad is the annotation of a Pod that answers so many requests of a hundred
// with 500.
const Bad = "testbed/answers-500"

type runner struct {
	client kubernetes.Interface
	pods   cache.Indexer
	queue  workqueue.TypedRateLimitingInterface[string]
	start  time.Duration
	stop   time.Duration
	doors  *doors
}

// Main is what the name "podrunner" stands for.
func Main(args []string) {
	fs := flag.NewFlagSet("podrunner", flag.ExitOnError)
	kubeconfig := fs.String("kubeconfig", os.Getenv("KUBECONFIG"), "")
	start := fs.Duration("start", 300*time.Millisecond, "time until a pod is ready")
	stop := fs.Duration("stop", 300*time.Millisecond, "time a pod takes to end")
	serve := fs.Bool("serve", false, "pods answer HTTP/1.1 and h2c on every targetPort of the Services of their namespace")
	workers := fs.Int("workers", 8, "")
	fs.Parse(args)
	cfg, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cfg.QPS, cfg.Burst = 2000, 4000
	cfg.ContentType = "application/vnd.kubernetes.protobuf"
	client := kubernetes.NewForConfigOrDie(cfg)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	f := informers.NewSharedInformerFactory(client, 0)
	inf := f.Core().V1().Pods().Informer()
	r := &runner{client: client, pods: inf.GetIndexer(), start: *start, stop: *stop, doors: newDoors(),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())}
	enqueue := func(o any) {
		if k, err := cache.DeletionHandlingMetaNamespaceKeyFunc(o); err == nil {
			r.queue.Add(k)
		}
	}
	inf.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { r.doors.label(o.(*corev1.Pod)); enqueue(o) },
		UpdateFunc: func(_, o any) { r.doors.label(o.(*corev1.Pod)); enqueue(o) },
		DeleteFunc: func(o any) {
			if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = d.Obj
			}
			r.doors.remove(o.(*corev1.Pod))
		},
	})
	if *serve {
		services := f.Core().V1().Services().Informer()
		services.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { r.doors.service(o.(*corev1.Service)) },
			UpdateFunc: func(_, o any) { r.doors.service(o.(*corev1.Service)) },
		})
	}
	f.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	for i := 0; i < *workers; i++ {
		go func() {
			for r.work(ctx) {
			}
		}()
	}
	fmt.Println("podrunner: ready")
	<-ctx.Done()
}

func (r *runner) work(ctx context.Context) bool {
	k, quit := r.queue.Get()
	if quit {
		return false
	}
	defer r.queue.Done(k)
	o, ok, _ := r.pods.GetByKey(k)
	if !ok {
		r.queue.Forget(k)
		return true
	}
	after, err := r.sync(ctx, o.(*corev1.Pod).DeepCopy())
	switch {
	case err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err):
		fmt.Fprintln(os.Stderr, "podrunner:", k, err)
		r.queue.AddRateLimited(k)
	case apierrors.IsConflict(err):
		r.queue.AddRateLimited(k)
	default:
		r.queue.Forget(k)
		if after > 0 {
			r.queue.AddAfter(k, after)
		}
	}
	return true
}

// sync brings a pod where it belongs now, and says when to look again.
func (r *runner) sync(ctx context.Context, p *corev1.Pod) (time.Duration, error) {
	pods := r.client.CoreV1().Pods(p.Namespace)
	isProxy := p.Annotations[Proxy] == "true"
	if isProxy && p.DeletionTimestamp == nil {
		return 0, nil
	}
	if p.DeletionTimestamp != nil {
		if left := r.untilGone(p); left > 0 && !isProxy {
			return left, nil
		}
		r.doors.close(p)
		return 0, pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64), Preconditions: &metav1.Preconditions{UID: &p.UID}})
	}
	if p.Spec.NodeName == "" {
		return 0, pods.Bind(ctx, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.Name, UID: p.UID}, Target: corev1.ObjectReference{Kind: "Node", Name: "node-0"}}, metav1.CreateOptions{})
	}
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return 0, nil
	}
	life := r.read(p)
	// Creation times are whole seconds: what a pod takes is counted from when we met it.
	age := time.Since(r.doors.met(p))
	now := metav1.Now()
	st := p.Status.DeepCopy()
	if st.StartTime == nil {
		st.StartTime = &now
	}
	next, done := time.Duration(0), false
	st.Phase = corev1.PodRunning
	if p.Spec.RestartPolicy != corev1.RestartPolicyAlways && !life.pulls() {
		st.Phase = corev1.PodPending
	} else if p.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		if life.fault != "" {
			life.exit, life.lasts = 127, 0
		}
		if left := life.lasts + r.start - age; left > 0 {
			next = left
		} else {
			done = true
			st.Phase = corev1.PodSucceeded
			if life.exit != 0 {
				st.Phase = corev1.PodFailed
			}
		}
	}
	isReady := !done && life.ready >= 0 && age >= life.ready
	if !done && life.ready >= 0 && !isReady && next == 0 {
		next = life.ready - age
	}
	// Its doors are open before anybody is told that it is ready.
	address, err := r.doors.open(p, isReady)
	if err != nil {
		return 0, err
	}
	st.PodIP, st.PodIPs, st.HostIP = address, []corev1.PodIP{{IP: address}}, "10.244.255.254"
	conditions(p, st, isReady, now)
	containers(p, st, life, done, now)
	a, _ := json.Marshal(p.Status)
	b, _ := json.Marshal(st)
	if string(a) != string(b) {
		p.Status = *st
		if _, err := pods.UpdateStatus(ctx, p, metav1.UpdateOptions{}); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// untilGone is how long a pod that was told to end still answers.
func (r *runner) untilGone(p *corev1.Pod) time.Duration {
	grace := r.stop
	for _, c := range p.Spec.Containers {
		if l := c.Lifecycle; l != nil && l.PreStop != nil && l.PreStop.Exec != nil {
			grace += slept(l.PreStop.Exec.Command)
		}
	}
	var asked time.Duration
	if p.DeletionGracePeriodSeconds != nil {
		asked = time.Duration(*p.DeletionGracePeriodSeconds) * time.Second
	}
	return min(grace, asked) - time.Since(r.doors.told(p))
}

func conditions(p *corev1.Pod, st *corev1.PodStatus, ready bool, now metav1.Time) {
	set := func(t corev1.PodConditionType, ok bool) {
		v := corev1.ConditionFalse
		if ok {
			v = corev1.ConditionTrue
		}
		for i := range st.Conditions {
			if st.Conditions[i].Type == t {
				if st.Conditions[i].Status != v {
					st.Conditions[i].Status, st.Conditions[i].LastTransitionTime = v, now
				}
				return
			}
		}
		st.Conditions = append(st.Conditions, corev1.PodCondition{Type: t, Status: v, LastTransitionTime: now})
	}
	set(corev1.PodScheduled, true)
	set(corev1.PodInitialized, true)
	set(corev1.ContainersReady, ready)
	for _, g := range p.Spec.ReadinessGates {
		ready = ready && isTrue(st.Conditions, g.ConditionType)
	}
	set(corev1.PodReady, ready)
}

func containers(p *corev1.Pod, st *corev1.PodStatus, life life, done bool, now metav1.Time) {
	ready := isTrue(st.Conditions, corev1.ContainersReady)
	st.ContainerStatuses = nil
	for _, c := range p.Spec.Containers {
		cs := corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: "sha256:0", Ready: ready, Started: &ready}
		switch {
		case done:
			cs.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: int32(life.exit), Reason: string(st.Phase), FinishedAt: metav1.NewTime(now.Rfc3339Copy().Time)}
		case life.fault != "":
			cs.State.Waiting = &corev1.ContainerStateWaiting{Reason: life.fault}
		default:
			cs.State.Running = &corev1.ContainerStateRunning{StartedAt: *st.StartTime}
		}
		st.ContainerStatuses = append(st.ContainerStatuses, cs)
	}
}

func isTrue(cs []corev1.PodCondition, t corev1.PodConditionType) bool {
	for _, c := range cs {
		if c.Type == t {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
