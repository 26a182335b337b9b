package cluster

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// Host is the machine of one Envoy: it waits for its cable, starts the Envoy,
// and leads the two addresses outside to it. It ends when the Envoy does, and
// the Envoy with it.
func Host(args []string) {
	runtime.LockOSThread()
	dir, name, number, envoy := args[0], args[1], args[2], args[3]
	if _, err := os.Stdin.Read(make([]byte, 8)); err != nil {
		fail(1, "whoever started this host is gone")
	}
	check(ip(
		"link set lo up",
		fmt.Sprintf("address add 10.255.%s.2/30 dev eth0", number),
		"link set eth0 up",
		fmt.Sprintf("route add default via 10.255.%s.1", number),
	))
	log, err := os.Create(filepath.Join(dir, name+".log"))
	check(err)
	cmd := exec.Command(envoy, "-c", filepath.Join(dir, name+".json"), "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(cmd.Start())
	check(os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644))
	outside, err := net.FileListener(os.NewFile(3, "socks"))
	check(err)
	go socks(outside)
	toAdmin := func(net.Conn) (string, error) { return "127.0.0.1:15000", nil }
	admin, err := net.FileListener(os.NewFile(4, "admin"))
	check(err)
	go relay(admin, toAdmin)
	// For the supervisor; the admin port itself stays on loopback.
	near, err := net.Listen("tcp4", fmt.Sprintf("10.255.%s.2:15001", number))
	check(err)
	go relay(near, toAdmin)
	err = cmd.Wait()
	fail(1, "%s ended: %v\n%s", name, err, tail(filepath.Join(dir, name+".log")))
}

// bootstrap is the Envoy's own configuration: who it is, and where istiod is.
func bootstrap(i int, p proxy, xds int) []byte {
	type object = map[string]any
	socket := func(host string, port int) object {
		return object{"socket_address": object{"address": host, "port_value": port}}
	}
	ads := object{"ads": object{}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
	ip := address(i)
	b, err := json.MarshalIndent(object{
		"node": object{
			"id":      fmt.Sprintf("%s~%s~%s.%s~%[4]s.svc.cluster.local", p.Kind, ip, p.Name, p.Namespace),
			"cluster": p.Labels["app"] + "." + p.Namespace,
			"metadata": object{
				"NAME": p.Name, "NAMESPACE": p.Namespace, "CLUSTER_ID": "Kubernetes", "ISTIO_VERSION": "1.30.0",
				"INTERCEPTION_MODE": "NONE", "LABELS": p.Labels, "INSTANCE_IPS": ip, "NODE_NAME": "node-0",
			},
		},
		"admin": object{"address": socket("127.0.0.1", 15000)},
		"dynamic_resources": object{"lds_config": ads, "cds_config": ads, "ads_config": object{
			"api_type": "GRPC", "transport_api_version": "V3",
			"grpc_services": []any{object{"envoy_grpc": object{"cluster_name": "xds-grpc"}}},
		}},
		"static_resources": object{"clusters": []any{object{
			"name": "xds-grpc", "type": "STATIC", "connect_timeout": "1s",
			"typed_extension_protocol_options": object{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": object{
				"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
				"explicit_http_config": object{"http2_protocol_options": object{}},
			}},
			"load_assignment": object{"cluster_name": "xds-grpc", "endpoints": []any{object{"lb_endpoints": []any{
				object{"endpoint": object{"address": socket(fmt.Sprintf("10.255.%d.1", i+1), xds)}},
			}}}},
		}}},
	}, "", "  ")
	check(err)
	return b
}
