//! The parts of the code that are mutated, and the tests that must notice.

use std::process::Command;

/// Where the laws' own switches are: compiled only for the test that uses them.
pub(super) const SWITCHES: [&str; 2] =
    ["rollout-core/src/reconcile/guard.rs", "rollout-core/src/driver/switched_order.rs"];

/// One part of the code.
#[derive(Debug)]
pub(super) struct Room {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// Its files, as globs.
    pub(super) files: &'static [&'static str],
    /// What must notice.
    pub(super) suite: Suite,
}

/// The tests of several rooms: those of their own package that are quick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    /// What is decided.
    Decision,
    /// What a process remembers, and in which order it works.
    Driver,
    /// The rest of the core.
    Core,
    /// The edits of Istio's objects.
    Istio,
    /// What a controller does.
    Kube,
}

use Suite::{Core, Decision, Driver, Istio, Kube};

/// The decision first.
pub(super) const ROOMS: [Room; 10] = [
    Room { name: "reconcile", files: &["rollout-core/src/reconcile/**/*.rs"], suite: Decision },
    Room { name: "goal", files: &["rollout-core/src/goal/**/*.rs"], suite: Decision },
    Room { name: "driver", files: &["rollout-core/src/driver/**/*.rs"], suite: Driver },
    Room {
        name: "command",
        files: &["rollout-core/src/command.rs", "rollout-core/src/command/**/*.rs"],
        suite: Decision,
    },
    Room { name: "stored", files: &["rollout-core/src/backend/object_backend.rs"], suite: Core },
    Room { name: "traffic", files: &["rollout-core/src/traffic/**/*.rs"], suite: Core },
    Room { name: "istio", files: &["rollout-istio/src/**/*.rs"], suite: Istio },
    Room { name: "cache", files: &["rollout-kube/src/cache/**/*.rs"], suite: Kube },
    Room { name: "rollout", files: &["rollout-kube/src/rollout/**/*.rs"], suite: Kube },
    Room { name: "store", files: &["rollout-kube/src/store/**/*.rs"], suite: Kube },
];

impl Room {
    /// Whether a file is in it.
    pub(super) fn has(&self, file: &str) -> bool {
        self.files.iter().any(|glob| match glob.split_once("**") {
            Some((folder, _)) => file.starts_with(folder),
            None => file == *glob,
        })
    }
}

impl Suite {
    /// All of them, in the order of their rooms.
    pub(super) const ALL: [Self; 5] = [Decision, Driver, Core, Istio, Kube];

    /// The folder of its results.
    pub(super) fn name(self) -> &'static str {
        match self {
            Decision => "decision",
            Driver => "driver",
            Core => "core",
            Istio => "istio",
            Kube => "kube",
        }
    }

    /// The package that it tests.
    pub(super) fn package(self) -> &'static str {
        match self {
            Decision | Driver | Core => "rollout-core",
            Istio => "rollout-istio",
            Kube => "rollout-kube",
        }
    }

    /// Tells cargo-mutants which tests to build and run. What is left out takes long, or tests other rooms.
    pub(super) fn tell(self, mutants: &mut Command) {
        // Some stories count failures by catching panics, and a backtrace takes longer than a story.
        mutants.env("RUST_BACKTRACE", "0");
        let (features, targets): (&str, &[&str]) = match self {
            Decision => {
                // Enough for every law to have something to say.
                mutants.env("HISTORIES", "1000").env("PRINTED", "0");
                ("argo,testing", &["argo", "commands", "decisions", "laws", "scenarios"])
            }
            Driver => ("argo,testing", &["decisions", "world"]),
            Core => ("argo,yaml,testing", &["commands", "scenarios"]),
            Istio => ("", &[]),
            Kube => ("testing", &[]),
        };
        if !features.is_empty() {
            mutants.args(["--features", features]);
        }
        if self != Decision {
            mutants.arg("--cargo-arg=--lib");
        }
        for target in targets {
            mutants.arg(format!("--cargo-arg=--test={target}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROOMS, SWITCHES};
    use std::path::Path;

    #[test]
    fn every_room_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for glob in ROOMS.iter().flat_map(|room| room.files).chain(&SWITCHES) {
            let path = glob.split("**").next().unwrap();
            assert!(root.join(path).exists(), "{path}");
        }
    }

    #[test]
    fn a_room_knows_its_files() {
        let room = |file: &str| ROOMS.iter().find(|room| room.has(file)).map(|room| room.name);
        assert_eq!(room("rollout-core/src/reconcile/surplus.rs"), Some("reconcile"));
        assert_eq!(room("rollout-core/src/command/apply.rs"), Some("command"));
        assert_eq!(room("rollout-core/src/plan.rs"), None);
    }
}
