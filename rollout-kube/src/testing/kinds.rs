/// In what the kinds of object differ.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Traits {
    /// Group and version, and the name in paths.
    path: &'static str,
    /// Empty for one that is not known: then a body may say any.
    pub(super) kind: &'static str,
    /// It is defined by a `CustomResourceDefinition`.
    pub(super) is_custom: bool,
    /// Its status is written apart.
    pub(super) has_status: bool,
    /// Changes of what it asks for are counted.
    pub(super) counts_generations: bool,
    /// A write without a version replaces whatever is there.
    pub(super) is_unconditional: bool,
    /// To replace what is not there creates it.
    pub(super) is_created_by_put: bool,
    /// Who deletes one is told what it was.
    pub(super) returns_deleted: bool,
    /// The garbage collector deletes what it owns.
    pub(super) is_collected: bool,
    /// Its name is not looked at.
    pub(super) has_any_name: bool,
    /// The status of a new one, as JSON; empty if it has none.
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

const KNOWN: [Traits; 7] = [
    Traits { path: "argoproj.io/v1alpha1/rollouts", kind: "Rollout", ..CUSTOM },
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
    /// Of the kind at this path (`/apis/apps/v1/replicasets`). One that is not known is taken for a custom one.
    pub(super) fn of(path: &str) -> Self {
        let path = path.trim_start_matches("/apis/").trim_start_matches("/api/");
        KNOWN.into_iter().find(|known| known.path == path).unwrap_or(CUSTOM)
    }
}
