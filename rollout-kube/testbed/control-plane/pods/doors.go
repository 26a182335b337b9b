package pods

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// doors are the pods' addresses and the ports on which they answer.
//
// A pod answers on every targetPort of every Service of its namespace, also of
// those that do not select it (yet): a real container listens whether or not
// anybody has found out about it.
type doors struct {
	mu    sync.Mutex
	next  uint32
	pods  map[types.UID]*pod
	ports map[string]map[intstr.IntOrString]bool // by namespace
	tls   *tls.Config
}

type pod struct {
	namespace, name, address string
	containers               []corev1.Container
	answer                   atomic.Pointer[[]byte]
	bad, asked               atomic.Uint64
	open                     bool
	servers                  map[int]*http.Server
	met, told                time.Time
}

func newDoors() *doors {
	identity, err := anybody()
	if err != nil {
		panic(err)
	}
	return &doors{pods: map[types.UID]*pod{}, ports: map[string]map[intstr.IntOrString]bool{}, tls: identity}
}

// pod of a pod object; the caller holds the lock. An address is never used twice.
func (d *doors) pod(p *corev1.Pod) *pod {
	k, ok := d.pods[p.UID]
	if !ok {
		d.next++
		k = &pod{namespace: p.Namespace, name: p.Name, containers: p.Spec.Containers, servers: map[int]*http.Server{}, met: time.Now(),
			address: fmt.Sprintf("10.244.%d.%d", (d.next>>8)&0xff, d.next&0xff)}
		d.pods[p.UID] = k
	}
	return k
}

// met is when we first saw the pod.
func (d *doors) met(p *corev1.Pod) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pod(p).met
}

// told is when we first saw that the pod shall end.
func (d *doors) told(p *corev1.Pod) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.pod(p)
	if k.told.IsZero() {
		k.told = time.Now()
	}
	return k.told
}

// label renews what the pod answers.
func (d *doors) label(p *corev1.Pod) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.pod(p)
	body, _ := json.Marshal(map[string]any{"ip": k.address, "pod": k.name, "namespace": k.namespace, "labels": p.Labels})
	body = append(body, '\n')
	k.answer.Store(&body)
	bad, _ := strconv.ParseUint(p.Annotations[Bad], 10, 7)
	k.bad.Store(bad)
}

// fails says of each request in turn whether its answer is to be a bad one.
func (k *pod) fails() bool {
	bad, asked := k.bad.Load(), k.asked.Add(1)
	return asked*bad/100 > (asked-1)*bad/100
}

// service adds its ports to those of the pods of its namespace.
func (d *doors) service(s *corev1.Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.ports[s.Namespace]
	if known == nil {
		known = map[intstr.IntOrString]bool{}
		d.ports[s.Namespace] = known
	}
	for _, port := range s.Spec.Ports {
		target := port.TargetPort
		if target.Type == intstr.Int && target.IntVal == 0 {
			target.IntVal = port.Port
		}
		known[target] = true
	}
	for _, k := range d.pods {
		if k.namespace == s.Namespace && k.open {
			if err := d.listen(k); err != nil {
				fmt.Println("podrunner:", err)
			}
		}
	}
}

// open says the pod's address; a pod that is ready answers from now on.
func (d *doors) open(p *corev1.Pod, ready bool) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.pod(p)
	if ready && !k.open {
		k.open = true
	}
	if k.open {
		return k.address, d.listen(k)
	}
	return k.address, nil
}

// listen opens every port that is still closed. The network routes the whole
// range of pods to loopback; before a pod listens and after it has ended,
// connections are refused.
func (d *doors) listen(k *pod) error {
	for target := range d.ports[k.namespace] {
		port := int(target.IntVal)
		if target.Type == intstr.String {
			port = named(k.containers, target.StrVal)
		}
		if port == 0 || k.servers[port] != nil {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(k.address, strconv.Itoa(port)))
		if err != nil {
			return err
		}
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetUnencryptedHTTP2(true)
		server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("content-type", "application/json")
			if k.fails() {
				w.WriteHeader(http.StatusInternalServerError)
			}
			w.Write(*k.answer.Load())
		})}
		k.servers[port] = server
		go server.Serve(either{l, d.tls})
	}
	return nil
}

func named(containers []corev1.Container, name string) int {
	for _, c := range containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return int(p.ContainerPort)
			}
		}
	}
	return 0
}

// close lets the pod answer what it has begun, and refuse what is new.
func (d *doors) close(p *corev1.Pod) {
	d.mu.Lock()
	k := d.pods[p.UID]
	var servers []*http.Server
	if k != nil {
		for _, s := range k.servers {
			servers = append(servers, s)
		}
	}
	d.mu.Unlock()
	for _, s := range servers {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		cancel()
	}
}

// remove forgets the pod; what is still open is cut off.
func (d *doors) remove(p *corev1.Pod) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if k := d.pods[p.UID]; k != nil {
		for _, s := range k.servers {
			s.Close()
		}
		delete(d.pods, p.UID)
	}
}
