// Command istiod runs Istio's control plane; called xds-relay, our relay before it.
package main

import (
	"os"
	"path/filepath"

	"istio.io/istio/pilot/cmd/pilot-discovery/app"
	"istio.io/istio/pkg/log"

	"istiodbed/xdsrelay"
)

func main() {
	if filepath.Base(os.Args[0]) == "xds-relay" {
		xdsrelay.Main(os.Args[1:])
		return
	}
	log.EnableKlogWithCobra()
	if err := app.NewRootCommand().Execute(); err != nil {
		log.Error(err)
		os.Exit(255)
	}
}
