use crate::bed::{Bed, Process, secs};
use serde_json::Value;
use std::{env, path::PathBuf, time::Duration};

/// What `cargo xtask bench` was asked for.
#[derive(Debug)]
pub(super) struct Plan {
    /// So many Rollouts, updated all at once.
    pub(super) update: usize,
    /// Or so many at rest.
    pub(super) idle: Option<usize>,
    /// In so many namespaces.
    pub(super) namespaces: usize,
    /// How often each controller has its turn.
    pub(super) repeat: usize,
    /// How long it is watched at rest.
    pub(super) rest: Duration,
    /// How long anything may take.
    pub(super) limit: Duration,
    mesh: bool,
    ours: Option<PathBuf>,
    flags: String,
    other: Option<String>,
}

impl Plan {
    pub(super) fn read() -> Self {
        let text = env::var("BENCH").unwrap_or_else(|_| panic!("cargo xtask bench runs it"));
        let plan: Value = serde_json::from_str(&text).unwrap();
        let number = |name: &str| Some(usize::try_from(plan[name].as_u64()?).unwrap());
        let seconds = |name: &str, otherwise| secs(plan[name].as_u64().unwrap_or(otherwise));
        let text = |name: &str| plan[name].as_str().map(str::to_owned);
        let idle = number("idle");
        Self {
            update: number("update").unwrap_or(0),
            idle,
            namespaces: number("namespaces").unwrap_or(if idle.is_some() { 20 } else { 1 }),
            repeat: number("repeat").unwrap_or(1),
            rest: seconds("rest", 60),
            limit: seconds("limit", 900),
            mesh: plan["mesh"] == true,
            ours: text("ours").filter(|_| plan["only_other"] != true).map(PathBuf::from),
            flags: text("flags").unwrap_or_default(),
            other: text("other"),
        }
    }

    /// A cluster of its own, whose audit log is short.
    pub(super) fn bed(&self) -> std::sync::Arc<Bed> {
        let mesh = if self.mesh { &["--mesh"][..] } else { &[] };
        Bed::own("scale", &[&["--audit", "Metadata", "--for", "3h"], mesh].concat())
    }

    /// What was measured, above the table.
    pub(super) fn sentence(&self) -> String {
        let mesh = if self.mesh { ", with a mesh" } else { "" };
        let what = match self.idle {
            Some(apps) => format!("{apps} Rollouts at rest"),
            None => format!("{} Rollouts updated at once (5 %, 5 s, 50 %, 5 s; one pod each)", self.update),
        };
        format!("{what}, in {} namespaces{mesh}", self.namespaces)
    }
}

/// A controller to be measured.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) name: &'static str,
    program: PathBuf,
    flags: Vec<String>,
    is_ours: bool,
}

impl Contender {
    /// Ours, and the other, if one is named.
    pub(super) fn all(plan: &Plan) -> Vec<Self> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let ours = plan.ours.as_ref().map(|program| Self {
            name: "ours",
            program: program.clone(),
            flags: words(&plan.flags),
            is_ours: true,
        });
        let other = plan.other.as_ref().map(|line| {
            let mut flags = words(line);
            assert!(!flags.is_empty(), "--controller: name a program");
            Self { name: "other", program: flags.remove(0).into(), flags, is_ours: false }
        });
        ours.into_iter().chain(other).collect()
    }

    /// Starts it for the whole cluster; its log is in the file of this name.
    pub(super) fn start(&self, bed: &Bed, log: &str) -> Process {
        let mut flags = self.flags.clone();
        if let (true, Some(istiod)) = (self.is_ours, bed.address("istiod")) {
            flags.extend(["--istiod", istiod, "--istiod-debounce-ms", "100"].map(str::to_owned));
        }
        let kubeconfig = bed.address("controller_kubeconfig").unwrap();
        Process::start(&self.program, &flags, ("KUBECONFIG", kubeconfig), &bed.file(log))
    }
}
