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
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
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
