package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// proxy is an Envoy on a host of its own.
type proxy struct {
	Name string
	// Kind is how it introduces itself to istiod: sidecar or router.
	Kind      string
	Namespace string
	Labels    map[string]string
}

// proxies of every mesh: the number in the list is the third part of the address.
var proxies = []proxy{
	{"sidecar-1", "sidecar", "default", map[string]string{"app": "client-1"}},
	{"sidecar-2", "sidecar", "default", map[string]string{"app": "client-2"}},
	{"gateway", "router", "istio-system", map[string]string{"app": "istio-ingressgateway", "istio": "ingressgateway"}},
}

// address of the proxy at this place in the list.
func address(i int) string { return fmt.Sprintf("10.255.%d.2", i+1) }

// Where proxies speak to istiod, and to the relay before it.
const istiodPort, relayPort = 15010, 15012

const meshConfig = `defaultConfig: {discoveryAddress: "127.0.0.1:15010"}
accessLogFile: ""
enableTracing: false
enableAutoMtls: false
`

// mesh is up when this returns: istiod answers, every Envoy has its first configuration.
func (s *inside) mesh(starts chan<- func(), start starter) error {
	config, err := s.client()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	istio := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "istio-system"}}
	if _, err := client.CoreV1().Namespaces().Create(context.Background(), istio, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	file := filepath.Join(s.plan.Folder, "mesh.yaml")
	if err := os.WriteFile(file, []byte(meshConfig), 0o644); err != nil {
		return err
	}
	done := make(chan error)
	starts <- func() { done <- s.startIstiod() }
	if err := <-done; err != nil {
		return err
	}
	if err := until(60*time.Second, "istiod is ready", answers(fmt.Sprintf("http://127.0.0.1:%d/ready", s.plan.Ports["istiod"]), "")); err != nil {
		return err
	}
	if s.plan.Relay {
		relay := exec.Command(s.plan.Istiod, "--listen", fmt.Sprintf(":%d", relayPort), "--to", fmt.Sprintf("127.0.0.1:%d", istiodPort),
			"--delay-file", filepath.Join(s.plan.Folder, "endpoint-delay"))
		relay.Args[0] = "xds-relay"
		starts <- func() { done <- s.start("xds-relay", relay) }
		if err := <-done; err != nil {
			return err
		}
	}
	for i, p := range proxies {
		if err := p.object(context.Background(), client, address(i)); err != nil {
			return err
		}
		starts <- func() { done <- s.host(i, p) }
		if err := <-done; err != nil {
			return err
		}
	}
	for i, p := range proxies {
		admin := fmt.Sprintf("http://%s:15001", address(i))
		if err := until(60*time.Second, p.Name+" has its first configuration", answers(admin+"/ready", "LIVE")); err != nil {
			return fmt.Errorf("%w\n%s", err, tail(filepath.Join(s.plan.Folder, p.Name+"-host.log")))
		}
	}
	return nil
}

// startIstiod starts it, for the first time or after it was killed.
func (s *inside) startIstiod() error {
	// An Envoy as its own project builds it has none of Istio's filters, hence the switches.
	env := append([]string{"POD_NAMESPACE=istio-system", "POD_NAME=istiod-0", "CLUSTER_ID=Kubernetes", "ENABLE_CA_SERVER=false", "INJECT_ENABLED=false",
		"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_DISABLE_MX_ALPN=true", "PILOT_ENABLE_ALPN_FILTER=false"}, s.plan.IstiodEnv...)
	port := s.plan.Ports["istiod"]
	istiod := exec.Command(s.plan.Istiod, "discovery", "--kubeconfig", filepath.Join(s.plan.Folder, "kubeconfig"), "--meshConfig", filepath.Join(s.plan.Folder, "mesh.yaml"),
		"--grpcAddr", fmt.Sprintf(":%d", istiodPort), "--httpAddr", fmt.Sprintf(":%d", port), "--httpsAddr", "", "--secureGRPCAddr", "", "--monitoringAddr", ":15014")
	istiod.Env = append(os.Environ(), env...)
	return s.start("istiod", istiod)
}

// xds is the port that proxies connect to.
func (s *inside) xds() int {
	if s.plan.Relay {
		return relayPort
	}
	return istiodPort
}

func answers(url, with string) func() error {
	client := &http.Client{Timeout: time.Second}
	return func() error {
		r, err := client.Get(url)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		if r.StatusCode != 200 || !strings.Contains(string(b), with) {
			return fmt.Errorf("%d %s", r.StatusCode, b)
		}
		return nil
	}
}

// host starts a process in a network of its own, which a cable connects to the
// cluster's; it then starts the Envoy there.
func (s *inside) host(i int, p proxy) error {
	name := p.Name + "-host"
	inherited := []*os.File{}
	for at, listener := range s.plan.Listeners {
		if listener == p.Name || listener == p.Name+"-admin" {
			inherited = append(inherited, os.NewFile(uintptr(4+at), listener))
		}
	}
	if err := os.WriteFile(filepath.Join(s.plan.Folder, p.Name+".json"), bootstrap(i, p, s.xds()), 0o644); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, s.plan.Folder, p.Name, fmt.Sprint(i+1), s.plan.Envoy)
	cmd.Args[0] = "cluster-host"
	cmd.ExtraFiles = inherited
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	go_, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := s.start(name, cmd); err != nil {
		return err
	}
	for _, f := range inherited {
		f.Close()
	}
	cable := fmt.Sprintf("cable-%d", i+1)
	if err := ip(
		fmt.Sprintf("link add %s type veth peer name eth0 netns %d", cable, cmd.Process.Pid),
		fmt.Sprintf("address add 10.255.%d.1/30 dev %s", i+1, cable),
		fmt.Sprintf("link set %s up", cable),
	); err != nil {
		return err
	}
	_, err = go_.Write([]byte("go\n"))
	return err
}
