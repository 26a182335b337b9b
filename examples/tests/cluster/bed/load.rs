use super::{
    Bed, Namespace,
    run::{Ran, dies_with_the_test, signal},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt, fs,
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Where requests go: through which Envoy, to which address, with which headers.
#[derive(Debug, Clone)]
pub(crate) struct Target(String);

impl Target {
    /// Through this Envoy (`sidecar-1`, `sidecar-2`, `gateway`).
    pub(crate) fn new(proxy: &str, url: &str) -> Self {
        Self(format!("{proxy}={url}"))
    }

    /// To a Service of the namespace, through a sidecar.
    pub(crate) fn service(proxy: &str, space: &Namespace, service: &str, port: u16) -> Self {
        Self::new(proxy, &format!("http://{service}.{}:{port}/", space.name))
    }

    /// The provider of the guide's canaries, through both sidecars; and the consumer, through the gateway.
    pub(crate) fn all(space: &Namespace) -> [Self; 3] {
        let provider = |proxy| Self::service(proxy, space, "dubbo3-provider", 20880);
        let consumer = Self::new("gateway", &format!("http://{}.test:9090/", space.name));
        [provider("sidecar-1"), provider("sidecar-2"), consumer]
    }

    /// The same at a path below the address.
    pub(crate) fn path(&self, path: &str) -> Self {
        Self(format!("{}{path}", self.0))
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &str, value: &str) -> Self {
        Self(format!("{},{name}: {value}", self.0))
    }
}

/// Requests that are being sent, at their rate whatever the answers are.
#[derive(Debug)]
pub(crate) struct Load {
    child: Child,
    out: PathBuf,
    targets: Vec<Target>,
    /// Requests a second to all targets together.
    rate: u32,
    began: Instant,
    longest: Duration,
}

impl Load {
    /// So many requests a second to each target, until it is stopped or `longest` is over.
    pub(crate) fn start(bed: &Bed, rate: u32, longest: Duration, targets: &[Target]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let out = bed.file(&format!("load-{}.jsonl", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let child = dies_with_the_test(&super::programs().join("load"))
            .arg("--dir")
            .arg(bed.file(""))
            .args(["--rate", &rate.to_string(), "--for", &format!("{}s", longest.as_secs())])
            // A machine that is too busy takes longer than the 2 s that would be usual; what has no pod is refused at once.
            .args(["--timeout", "5s"])
            .args(targets.iter().map(|target| &target.0))
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .spawn()
            .unwrap();
        let rate = rate * u32::try_from(targets.len()).unwrap();
        Self { child, out, targets: targets.to_vec(), rate, began: Instant::now(), longest }
    }

    /// Four requests, within 0.2 s; its exit code is 0 when all were answered.
    pub(super) fn once(bed: &Bed, target: &Target) -> Ran {
        let mut load = Command::new(super::programs().join("load"));
        load.arg("--dir").arg(bed.file("")).args(["--rate", "20", "--for", "200ms", "--window", "0"]);
        Ran::run(load.arg(&target.0), "")
    }

    /// Stops it early: what has been sent is still waited for.
    pub(crate) fn stop(self) -> Answers {
        signal(&self.child.id().to_string(), "TERM");
        let lasted = self.began.elapsed().min(self.longest);
        self.collect(lasted)
    }

    /// Waits until its time is over.
    pub(crate) fn finish(self) -> Answers {
        let lasts = self.longest;
        self.collect(lasts)
    }

    /// What it sent and got in the time that it was to last.
    fn collect(mut self, lasts: Duration) -> Answers {
        let _ = self.child.wait();
        let text = fs::read_to_string(&self.out).unwrap();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().filter(|line| line["summary"] == true).unwrap();
        let due = u64::from(self.rate) * u64::try_from(lasts.as_millis()).unwrap() / 1_000;
        Answers { seconds: lines, summary, targets: self.targets.clone(), due }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    /// A line a second: `t`, and `by` target what [`summary`](Self::summary) has.
    pub(crate) seconds: Vec<Value>,
    /// `load`'s last line.
    pub(crate) summary: Value,
    targets: Vec<Target>,
    /// How many requests its rate asks for, from its start to its end.
    due: u64,
}

impl Answers {
    /// How many were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.summary["requests"].as_u64().unwrap()
    }

    /// How many failed.
    pub(crate) fn failed(&self) -> u64 {
        self.summary["failed"].as_u64().unwrap()
    }

    /// Of these, those that were not answered in time, or not sent because too many were not: what a machine does that
    /// is too busy. An Envoy without a pod says so at once.
    pub(crate) fn late(&self) -> u64 {
        let failures = self
            .targets
            .iter()
            .filter_map(|target| self.summary["targets"][&target.0]["failures"].as_object());
        let late = failures
            .flatten()
            .filter(|(why, _)| why.contains("no answer in time") || why.contains("not sent"));
        late.map(|(_, count)| count.as_u64().unwrap()).sum()
    }

    /// How many answers of which revision one target got.
    pub(crate) fn by_revision(&self, target: usize) -> BTreeMap<String, u64> {
        let of = &self.summary["targets"][&self.targets[target].0]["by_revision"];
        of.as_object()
            .into_iter()
            .flatten()
            .map(|(name, count)| (name.clone(), count.as_u64().unwrap()))
            .collect()
    }

    /// The Envoys' own counts of one kind (`retries`, `answers_503`, `connect_failed`), each Envoy once. They are of
    /// all namespaces.
    pub(crate) fn envoys(&self, what: &str) -> u64 {
        let mut each = BTreeMap::new();
        for target in &self.targets {
            let proxy = target.0.split('=').next().unwrap_or_default();
            each.insert(proxy, self.summary["targets"][&target.0]["envoy"][what].as_u64().unwrap_or(0));
        }
        each.values().sum()
    }

    /// None failed, and they were sent all the time: at least half of those that were due, since the load needs a
    /// moment to start. A number of requests would say how slow the release has to be.
    pub(crate) fn assert_none_failed(&self) {
        assert!(
            self.failed() == 0 && self.requests() > self.due / 2,
            "of {} that were due: {self}",
            self.due
        );
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} requests, {} failed; Envoys: {} retries, {} answers of 503, {} connections failed",
            self.requests(),
            self.failed(),
            self.envoys("retries"),
            self.envoys("answers_503"),
            self.envoys("connect_failed")
        )?;
        for target in &self.targets {
            let of = &self.summary["targets"][&target.0];
            writeln!(f, "  {}: {} {}", target.0, of["by_revision"], of["failures"])?;
        }
        for line in &self.seconds {
            let failures = line["by"].as_object().into_iter().flatten().filter(|(_, by)| by["failed"] != 0);
            for (target, by) in failures {
                writeln!(f, "  second {}: {target}: {}", line["t"], by["failures"])?;
            }
        }
        Ok(())
    }
}
