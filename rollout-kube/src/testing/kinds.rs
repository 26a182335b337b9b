/// The traits in which kinds of objects differ.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Traits {
    /// Group, version and plural, as in paths.
    path: &'static str,
    /// Empty for an unknown kind: then a body may name any kind.
    pub(super) kind: &'static str,
    /// Whether a `CustomResourceDefinition` defines it.
    pub(super) is_custom: bool,
    /// Whether it has a status subresource.
    pub(super) has_status: bool,
    /// Whether changes of its spec raise a generation.
    pub(super) counts_generations: bool,
    /// Whether a write without a version replaces any version.
    pub(super) is_unconditional: bool,
    /// Whether a replace creates a missing object.
    pub(super) is_created_by_put: bool,
    /// Whether a delete returns the deleted object.
    pub(super) returns_deleted: bool,
    /// Whether it is marked for deletion first, even if no finalizer holds it.
    pub(super) is_marked: bool,
    /// Whether the garbage collector deletes what it owns.
    pub(super) is_collected: bool,
    /// Whether it may have any name.
    pub(super) has_any_name: bool,
    /// The status of a new object, as JSON; empty if it has none.
    pub(super) first_status: &'static str,
}

const CUSTOM: Traits = Traits {
    path: "",
    kind: "",
    is_custom: true,
    has_status: true,
    counts_generations: true,
    is_unconditional: false,
    is_created_by_put: false,
    returns_deleted: false,
    is_marked: false,
    is_collected: true,
    has_any_name: false,
    first_status: "",
};

const BUILT_IN: Traits = Traits {
    is_custom: false,
    has_status: false,
    is_unconditional: true,
    counts_generations: false,
    ..CUSTOM
};

const KNOWN: [Traits; 9] = [
    Traits { path: "argoproj.io/v1alpha1/rollouts", kind: "Rollout", ..CUSTOM },
    // Argo Rollouts defines it without a status subresource.
    Traits { path: "argoproj.io/v1alpha1/analysisruns", kind: "AnalysisRun", has_status: false, ..CUSTOM },
    Traits { path: "networking.istio.io/v1alpha3/virtualservices", kind: "VirtualService", ..CUSTOM },
    Traits { path: "networking.istio.io/v1alpha3/destinationrules", kind: "DestinationRule", ..CUSTOM },
    Traits {
        path: "apps/v1/replicasets",
        kind: "ReplicaSet",
        has_status: true,
        counts_generations: true,
        first_status: r#"{"replicas": 0}"#,
        ..BUILT_IN
    },
    Traits {
        path: "v1/pods",
        kind: "Pod",
        has_status: true,
        counts_generations: true,
        returns_deleted: true,
        is_marked: true,
        first_status: r#"{"phase": "Pending", "qosClass": "BestEffort"}"#,
        ..BUILT_IN
    },
    Traits {
        path: "v1/services",
        kind: "Service",
        has_status: true,
        is_created_by_put: true,
        returns_deleted: true,
        first_status: r#"{"loadBalancer": {}}"#,
        ..BUILT_IN
    },
    Traits {
        path: "v1/events",
        kind: "Event",
        is_created_by_put: true,
        is_collected: false,
        has_any_name: true,
        ..BUILT_IN
    },
    Traits {
        path: "coordination.k8s.io/v1/leases",
        kind: "Lease",
        is_created_by_put: true,
        is_unconditional: false,
        ..BUILT_IN
    },
];

impl Traits {
    /// Returns the traits of the kind at this path (`/apis/apps/v1/replicasets`). An unknown kind counts as custom.
    pub(super) fn of(path: &str) -> Self {
        let path = path.trim_start_matches("/apis/").trim_start_matches("/api/");
        KNOWN.into_iter().find(|known| known.path == path).unwrap_or(CUSTOM)
    }
}
