package cluster

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

const tokens = `admin-token,admin,admin,"system:masters"
controller-token,controller,controller,"system:masters"
`

// What the user `controller` asks for; unless said otherwise with what it wrote, and what came of it.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: %s, users: [controller], verbs: [create, update, patch, delete, deletecollection]}
- {level: Metadata, users: [controller]}
- {level: None}
`

// kubeconfig for one of the two users. The private cluster's certificate is its own.
const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "https://127.0.0.1:%d", insecure-skip-tls-verify: true}}]
users: [{name: %[2]s, user: {token: %[2]s-token}}]
contexts: [{name: testbed, context: {cluster: testbed, user: %[2]s, namespace: default}}]
current-context: testbed
`

const controllers = "replicaset-controller,deployment-controller,job-controller,endpointslice-controller,endpoints-controller," +
	"garbage-collector-controller,namespace-controller,serviceaccount-controller,horizontal-pod-autoscaler-controller,pod-garbage-collector-controller"

type starter = func(name string, env []string, args ...string) error

// controlPlane is up when this returns: API server, custom resources,
// controllers, and who plays the kubelets.
func (s *inside) controlPlane(start starter) error {
	dir, port := s.plan.Folder, s.plan.Ports["api"]
	in := func(name string) string { return filepath.Join(dir, name) }
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	files := map[string]string{
		"sa.key":                string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"tokens.csv":            tokens,
		"audit-policy.yaml":     fmt.Sprintf(auditPolicy, s.plan.Audit),
		"kubeconfig":            fmt.Sprintf(kubeconfig, port, "admin"),
		"controller.kubeconfig": fmt.Sprintf(kubeconfig, port, "controller"),
	}
	for name, text := range files {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	// The network is the cluster's own: its ports need not be looked for.
	if err := start("etcd", nil, "--data-dir", in("etcd"), "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
		"--listen-peer-urls", "http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level", "warn"); err != nil {
		return err
	}
	if err := start("kube-apiserver", nil, "--etcd-servers", "http://127.0.0.1:2379", "--cert-dir", in("certs"),
		"--bind-address", "127.0.0.1", "--advertise-address", "192.0.2.1", "--secure-port", fmt.Sprint(port),
		"--service-cluster-ip-range", "10.96.0.0/16", "--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", in("sa.key"), "--service-account-signing-key-file", in("sa.key"),
		"--token-auth-file", in("tokens.csv"), "--authorization-mode", "RBAC", "--disable-admission-plugins", "ServiceAccount",
		"--audit-policy-file", in("audit-policy.yaml"), "--audit-log-path", in("audit.jsonl"), "--audit-log-mode", "blocking"); err != nil {
		return err
	}
	config, err := s.client()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := until(60*time.Second, "the API server is ready", func() error {
		_, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err
	}); err != nil {
		return err
	}
	// Without its Node, the endpoint slice controller skips every pod.
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-0", Labels: map[string]string{
		"topology.kubernetes.io/region": "local", "topology.kubernetes.io/zone": "local-a"}}}
	if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	// Before the controllers, so that the garbage collector knows their kinds.
	if err := s.customResources(ctx, config); err != nil {
		return err
	}
	if err := start("kube-controller-manager", nil, "--kubeconfig", in("kubeconfig"), "--authentication-kubeconfig", in("kubeconfig"), "--authorization-kubeconfig", in("kubeconfig"),
		"--leader-elect=false", "--secure-port", "0", "--service-account-private-key-file", in("sa.key"), "--use-service-account-credentials=false",
		"--kube-api-qps", "500", "--kube-api-burst", "1000", "--concurrent-replicaset-syncs", "20", "--controllers", controllers); err != nil {
		return err
	}
	return start("podrunner", nil, "--kubeconfig", in("kubeconfig"), "--serve", "--start", s.plan.Start.String(), "--stop", s.plan.Stop.String())
}

func (s *inside) client() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(s.plan.Folder, "kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	return config, nil
}

// customResources creates every definition that lies in the folder, and waits
// until the API server serves them.
func (s *inside) customResources(ctx context.Context, config *rest.Config) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	files, _ := filepath.Glob(filepath.Join(s.plan.CRDs, "*.yaml"))
	var all []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		for _, text := range bytes.Split(b, []byte("\n---")) {
			object := map[string]any{}
			if err := yaml.Unmarshal(text, &object); err != nil {
				return fmt.Errorf("%s: %w", f, err)
			}
			u := &unstructured.Unstructured{Object: object}
			if u.GetKind() != "CustomResourceDefinition" {
				continue
			}
			if _, err := definitions.Create(ctx, u, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("%s: %w", f, err)
			}
			all = append(all, u.GetName())
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("no CustomResourceDefinition lies in %s", s.plan.CRDs)
	}
	return until(30*time.Second, "the custom resources are served", func() error {
		list, err := definitions.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		missing := map[string]bool{}
		for _, name := range all {
			missing[name] = true
		}
		for _, u := range list.Items {
			conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
			for _, c := range conditions {
				if m, ok := c.(map[string]any); ok && m["type"] == "Established" && m["status"] == "True" {
					delete(missing, u.GetName())
				}
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("not yet: %v", missing)
		}
		return nil
	})
}

// until tries again every 50 ms; when the limit is over, the last error.
func until(limit time.Duration, what string, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it is not so after %s that %s: %s", limit, what, strings.TrimSpace(err.Error()))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
