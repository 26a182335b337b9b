// Command testbed bundles a Kubernetes control plane, its clients and our own
// tools into one binary, which acts by the name that it is called with.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	plugin "github.com/argoproj/argo-rollouts/pkg/kubectl-argo-rollouts/cmd"
	"github.com/argoproj/argo-rollouts/pkg/kubectl-argo-rollouts/options"
	"go.etcd.io/etcd/server/v3/etcdmain"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlscheme "k8s.io/kubectl/pkg/scheme"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"testbed/cluster"
	"testbed/load"
	"testbed/pods"
	"testbed/requests"
)

func main() {
	name := filepath.Base(os.Args[0])
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kubectl":
		forgetPlugin()
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	case "kubectl-argo-rollouts":
		o := options.NewArgoRolloutsOptions(genericclioptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
		if plugin.NewCmdArgoRollouts(o).Execute() != nil {
			os.Exit(1)
		}
	case "cluster":
		cluster.Main(os.Args[1:])
	case "cluster-supervisor":
		cluster.Supervise(os.Args[1:])
	case "cluster-host":
		cluster.Host(os.Args[1:])
	case "podrunner":
		pods.Main(os.Args[1:])
	case "load":
		load.Main(os.Args[1:])
	case "requests":
		requests.Main(os.Args[1:])
	default:
		fmt.Fprintf(os.Stderr, "testbed: call it as cluster, kubectl, kubectl-argo-rollouts, load, requests, podrunner, etcd, "+
			"kube-apiserver or kube-controller-manager, not %q\n", name)
		os.Exit(2)
	}
}

// forgetPlugin takes the plugin's types out of what kubectl knows: they are linked into the same binary, and
// kubectl patches what it knows in a way that the API server refuses for custom resources.
func forgetPlugin() {
	own := runtime.NewScheme()
	metav1.AddToGroupVersion(own, schema.GroupVersion{Version: "v1"})
	if err := scheme.AddToScheme(own); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl:", err)
		os.Exit(1)
	}
	kubectlscheme.Scheme = own
}
