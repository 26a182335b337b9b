//! What `--help` says.

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Plays a canary in virtual time: reads the manifests, really edits their Istio objects in memory, and invents
only the pods and the proxies. Time 0 is the update; the first deploy is played before it.

usage: simulate [OPTIONS] FILE|FOLDER|- …

The input may hold anything: other objects are skipped, a kustomization.yaml is built if kustomize or kubectl is
installed, and for what must be rendered first you are told the command.

The update (if none is given, every Rollout gets a changed template)
  --set [ROLLOUT:]PATH=VALUE     set a value, like provider:spec.template.metadata.labels.version=v2
  --image [ROLLOUT/]CONTAINER=IMAGE
                                 set the image of a container
  --update FILE|FOLDER           other manifests of the same Rollouts

The script
  --at [ROLLOUT:]TIME=WHAT       promote, promote-full, skip, pause, resume, abort, retry, undo, proceed,
                                 `set PATH=VALUE`, `image CONTAINER=IMAGE`, or reapply (the user's own
                                 manifests again, as GitOps does); without a name, all; repeatable
  --promote-after TIME|never     when to end a pause that has no duration and that the script does not end (10m)

The world
  --replicas N                   instead of spec.replicas, in the whole run
  --ready-after TIME[..TIME]     how long until a pod is ready (the readiness probe's initial delay, or 5s)
  --never-ready [ROLLOUT:]SIDE   pods of stable or canary that are made after the update never get ready
  --lose-pods [ROLLOUT:]SIDE=N@TIME
                                 N pods of that side die at that time, and are replaced; repeatable
  --proxies N                    how many proxies, each with its own copy of routes, selectors and endpoints (3)
  --proxy-lag TIME[..TIME]       how long until a proxy has what was written (2s)
  --freeze-mesh FROM..TO         no proxy gets anything in between; repeatable
  --until TIME                   the last moment that is played (24h)
  --seed N                       seed for times drawn at random: `1s..3s` is anything in between (1)

The output
  --objects                      also print the changed objects, as unified diffs
  --json                         print one line per event and finding, see examples/README.md
  --strict                       unknown fields of spec.strategy are errors, not warnings
  --expect [ROLLOUT:]healthy|paused|aborted
                                 how it should come to rest (healthy): exit code 0 if so, 1 if not,
                                 2 for bad input; without a name, every updated Rollout; repeatable
";
