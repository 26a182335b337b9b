//! What `--help` says around the options.

pub(super) const ABOUT: &str = "Simulate the canary releases of your manifests in virtual time";

pub(super) const LONG_ABOUT: &str = "\
Simulate the canary releases of your manifests in virtual time.

simulate reads Rollouts with their Services, VirtualServices and DestinationRules, and with the Deployment that a \
workloadRef names. It prints every decision of the release. It really edits the Istio objects, in memory; only pods, \
proxies and time are simulated.

Time 0 is the update; the first deploy comes before it. The update is what --set, --image and --update say; without \
them, every Rollout gets a changed pod template.";

pub(super) const AFTER: &str = "\
Times:
  Numbers with the units ms, s, m and h: 300ms, 30s, 12m, 1h30m. From 1s..3s, a time in between is chosen at random.

Exit status:
  0  every Rollout came to rest as expected
  1  a Rollout did not come to rest as expected
  2  the command line or the manifests are wrong

Examples:
  simulate manifests/
  simulate manifests/ --image web=nginx:1.29 --at 12m=abort --expect aborted
  helm template . | simulate - --freeze-mesh 5m..6m --objects";
