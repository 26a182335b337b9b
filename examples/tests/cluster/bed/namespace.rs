use super::{
    Bed, Load, RUNTIME, Requests, Target, churn::Churn, controller::Start, run::Ran, seen::Seen, watch::Watch,
};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject, PostParams},
    core::ApiResource,
};
use serde_json::json;
use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

/// The verbs that change nothing.
const READS: &[&str] = &["get", "lint", "status", "wait", "version", "auth"];

/// The place of one test. Gone with the test, unless that failed.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// The cluster that it is in.
    pub(crate) bed: Arc<Bed>,
    /// Its name.
    pub(crate) name: String,
    watch: Watch,
    /// Of the controllers that were started here.
    logs: Mutex<Vec<PathBuf>>,
}

impl Namespace {
    pub(super) fn new(bed: Arc<Bed>, story: &str) -> Self {
        let number = bed.spaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{story}-{number}");
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let object = serde_json::from_value(object).unwrap();
        RUNTIME.block_on(namespaces(&bed).create(&PostParams::default(), &object)).unwrap();
        let watch = Watch::start(&bed.client, &name);
        Self { bed, name, watch, logs: Mutex::default() }
    }

    /// `kubectl` in this namespace, to its end. What it has changed of Rollouts is seen when this returns, so that
    /// nothing that is waited for next is found in how they were before.
    pub(crate) fn kubectl(&self, words: &[&str]) -> Ran {
        self.kubectl_with(words, "")
    }

    /// The same with a standard input.
    pub(crate) fn kubectl_with(&self, words: &[&str], stdin: &str) -> Ran {
        let bin = super::programs();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(bin.join("kubectl"));
        command.env("KUBECONFIG", self.bed.file("kubeconfig")).env("PATH", path);
        // The plugin's words come first.
        let at = if words.starts_with(&["argo"]) { 2 } else { 0 };
        let (first, rest) = words.split_at(at.min(words.len()));
        let ran = Ran::run(command.args(first).args(["--namespace", &self.name]).args(rest), stdin);
        if !READS.contains(rest.first().unwrap_or(&"")) {
            self.watch.catch_up();
        }
        ran
    }

    /// `kubectl argo rollouts …` in this namespace, to its end.
    pub(crate) fn plugin(&self, words: &[&str]) -> Ran {
        self.kubectl(&[&["argo", "rollouts"], words].concat())
    }

    /// `kubectl apply` of these manifests.
    pub(crate) fn apply(&self, manifests: &str) {
        self.kubectl_with(&["apply", "-f", "-"], manifests).ok();
    }

    /// `kubectl patch --type merge`; `subresource` may be empty.
    pub(crate) fn patch(&self, object: &str, subresource: &str, patch: &serde_json::Value) -> Ran {
        let (patch, which) = (patch.to_string(), format!("--subresource={subresource}"));
        let mut words = vec!["patch", object, "--type", "merge", "--patch", &patch];
        if !subresource.is_empty() {
            words.push(&which);
        }
        self.kubectl(&words)
    }

    /// The controller for this namespace, with the mesh's istiod if there is one. It is started with what this
    /// returns.
    pub(crate) fn controller(&self) -> Start<'_> {
        Start::new(self)
    }

    /// Waits until something has been seen, and says what; fails when it is not there in time, with what is there
    /// instead.
    pub(crate) fn until_some<T>(&self, what: &str, within: Duration, find: impl Fn(&Seen) -> Option<T>) -> T {
        match self.watch.wait(within, find) {
            Some(found) => found,
            None => panic!("not so within {within:?}: {what}\n{}", self.report()),
        }
    }

    /// Waits until this is so.
    pub(crate) fn until(&self, what: &str, within: Duration, holds: impl Fn(&Seen) -> bool) {
        self.until_some(what, within, |seen| holds(seen).then_some(()));
    }

    /// Waits so long for this; whether it came to be so.
    pub(crate) fn within(&self, wait: Duration, holds: impl Fn(&Seen) -> bool) -> bool {
        self.watch.wait(wait, |seen| holds(seen).then_some(())).is_some()
    }

    /// Looks at what has been seen so far.
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        self.watch.look(look)
    }

    /// Waits until the Envoy answers a request from a pod.
    pub(crate) fn until_answered(&self, target: &Target, within: Duration) {
        let until = Instant::now() + within;
        loop {
            let tried = Load::once(&self.bed, target);
            if tried.code == 0 {
                return;
            }
            assert!(Instant::now() < until, "not answered within {within:?}: {tried}\n{}", self.report());
        }
    }

    /// Changes something each `every` that is nobody's concern, so that istiod never has quiet.
    pub(crate) fn keep_changing(&self, every: Duration) -> Churn {
        Churn::start(self, every)
    }

    /// What controllers have asked the API server for in this namespace.
    pub(crate) fn requests(&self) -> Requests {
        Requests::read(&self.bed.file("audit.jsonl"), &self.name)
    }

    /// What is there, and the end of the controllers' logs: for a test that fails.
    pub(crate) fn report(&self) -> String {
        let mut report = format!("in {}:\n{}", self.name, self.seen(Seen::report));
        for log in self.logs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let text = fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
            report.extend(["\n… ", &log.display().to_string(), ":\n", &last.join("\n"), "\n"]);
        }
        report
    }

    /// A place for the log of one more controller.
    pub(super) fn new_log(&self) -> PathBuf {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.bed.file(&format!("controller-{}-{}.log", self.name, logs.len() + 1));
        logs.push(log.clone());
        log
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.report());
            return;
        }
        let api = namespaces(&self.bed);
        let _ = RUNTIME.block_on(api.delete(&self.name, &DeleteParams::background()));
    }
}

fn namespaces(bed: &Bed) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: String::new(),
        version: "v1".into(),
        api_version: "v1".into(),
        kind: "Namespace".into(),
        plural: "namespaces".into(),
    };
    Api::all_with(bed.client.clone(), &resource)
}
