//! What `--help` says.

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Plays a canary in virtual time: reads the manifests, really edits their Istio objects in memory, and invents
the pods and proxies. Time 0 is the update; the first deploy is played before it.

usage: simulate [OPTIONS] FILE|FOLDER|- …

What is given may hold anything: other objects are passed over, a kustomization.yaml is built where kustomize or
kubectl is installed, and what must be rendered first is named with its command.

The update (none: every Rollout gets a changed template)
  --set [ROLLOUT:]PATH=VALUE     set a value, like provider:spec.template.metadata.labels.version=v2
  --image [ROLLOUT/]CONTAINER=IMAGE
  --update FILE|FOLDER           other manifests of the same Rollouts

The script
  --at [ROLLOUT:]TIME=WHAT       promote, promote-full, skip, pause, resume, abort, retry, undo, proceed,
                                 `set PATH=VALUE`, `image CONTAINER=IMAGE`, or reapply (the user's own
                                 manifests again, as GitOps does); no name: all; repeatable
  --promote-after TIME|never     ends a pause without a duration that the script does not end (10m)

The world
  --replicas N                   instead of spec.replicas, in the whole run
  --ready-after TIME[..TIME]     until a pod is ready (the readiness probe's first delay, or 5s)
  --never-ready [ROLLOUT:]SIDE   pods of stable or canary that are made after the update never get ready
  --lose-pods [ROLLOUT:]SIDE=N@TIME
                                 N pods of that side die at a time; new ones are made; repeatable
  --proxies N                    proxies, each with its own copy of routes, selectors and endpoints (3)
  --proxy-lag TIME[..TIME]       until a proxy has what was written (2s)
  --freeze-mesh FROM..TO         no proxy gets anything in between; repeatable
  --until TIME                   the last moment that is played (24h)
  --seed N                       of what is drawn from a span: `1s..3s` is anything in between (1)

The output
  --objects                      with the changed objects, as unified diffs
  --json                         a line an event and a finding, see examples/README.md
  --strict                       unknown fields of spec.strategy are errors, not warnings
  --expect [ROLLOUT:]healthy|paused|aborted
                                 how it is to come to rest (healthy): exit code 0 when so, 1 when not,
                                 2 for bad input; no name: every Rollout that gets an update; repeatable
";
