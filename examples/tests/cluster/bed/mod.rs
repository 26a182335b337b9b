//! What all tests on a cluster stand on.
//!
//! - [`Bed`]: a private cluster. One with a mesh is shared by all tests of the process ([`Bed::shared`]); a test that
//!   stops servers has its own ([`Bed::own`]). Either ends with the process, however that ends.
//! - [`Namespace`]: where one test lives ([`Bed::namespace`]): its manifests, its kubectl, its controllers, and all
//!   that was seen in it ([`Seen`]), for waiting on ([`Namespace::until`]).
//! - [`Load`]: requests through the Envoys. [`Requests`]: what a controller asked the API server for.

mod answering;
mod audit;
mod churn;
mod controller;
mod endpoints;
mod follow;
mod held;
mod load;
mod manifests;
mod namespace;
mod period;
mod plugin;
mod process;
mod prometheus;
mod run;
mod seen;
mod trouble;
mod user;
mod view;
mod watch;

pub(crate) use answering::Answering;
pub(crate) use audit::Requests;
pub(crate) use controller::Controller;
pub(crate) use follow::follow;
pub(crate) use held::Held;
pub(crate) use load::{Answers, Load, Target};
pub(crate) use manifests::{Canary, IMAGE};
pub(crate) use namespace::Namespace;
pub(crate) use period::pass;
pub(crate) use process::Process;
pub(crate) use prometheus::Prometheus;
pub(crate) use run::Ran;
pub(crate) use seen::Seen;
pub(crate) use trouble::Frozen;
pub(crate) use user::User;
pub(crate) use view::{Rollout, weights_of};

use rollout_core::Time;
use serde_json::Value;
use std::{
    fmt, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, atomic::AtomicUsize},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Watches run on it; the tests themselves are plain threads.
pub(crate) static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// Seconds, for bounds.
pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The time of day.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// The folder of the test bed's programs.
fn programs() -> PathBuf {
    let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("testbed/bin");
    assert!(
        programs.join("cluster").exists() && programs.join("envoy").exists(),
        "the test bed is not built ({}): cargo xtask testbed build",
        programs.display()
    );
    programs
}

/// The folder of this process's clusters and logs; those of processes that are gone are removed.
fn room() -> &'static Path {
    static ROOM: LazyLock<PathBuf> = LazyLock::new(|| {
        let above = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in fs::read_dir(above).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(process) = name.strip_prefix("cluster-")
                && !Path::new("/proc").join(process).exists()
            {
                // Another process may be at it, too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let room = above.join(format!("cluster-{}", std::process::id()));
        fs::create_dir_all(&room).unwrap();
        room
    });
    &ROOM
}

/// A private cluster: API server, controllers and pods; if asked for with istiod and three Envoys.
pub(crate) struct Bed {
    /// What the test bed says about it (`cluster.json`).
    about: Value,
    client: kube::Client,
    spaces: AtomicUsize,
    /// Lives as long as its standard input is held.
    cluster: Mutex<Child>,
}

impl Bed {
    /// The mesh that all tests share which stop no server.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Bed>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Self::own("shared", &["--mesh"])))
    }

    /// A cluster of the test's own, with these flags of `cluster up` (`--mesh`, `--delay-endpoints`, …).
    pub(crate) fn own(name: &str, flags: &[&str]) -> Arc<Self> {
        let folder = room().join(name);
        let mut cluster = Command::new(programs().join("cluster"))
            .args(["up", "--attached", "--json", "--for", "2h", "--dir"])
            .arg(&folder)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(cluster.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the cluster did not come up; its logs are in {}", folder.display());
        let about: Value = serde_json::from_str(&line).unwrap();
        let client = client(about["kubeconfig"].as_str().unwrap());
        Arc::new(Self { about, client, spaces: AtomicUsize::new(0), cluster: Mutex::new(cluster) })
    }

    /// A place for one test, with a name of its own that begins so.
    pub(crate) fn namespace(self: &Arc<Self>, story: &str) -> Namespace {
        Namespace::new(Arc::clone(self), story)
    }

    /// Speaks to the API server for the test.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Speaks to it under the controller's name.
    pub(crate) fn controllers_client(&self) -> kube::Client {
        client(self.address("controller_kubeconfig").unwrap())
    }

    /// An entry of what the test bed says about itself: `kubeconfig`, `istiod`, `istiod_elsewhere`, …
    pub(crate) fn address(&self, of: &str) -> Option<&str> {
        self.about[of].as_str()
    }

    /// Where this Envoy answers about itself.
    pub(crate) fn envoy(&self, name: &str) -> String {
        let proxies = self.about["proxies"].as_array().unwrap();
        let proxy = proxies.iter().find(|proxy| proxy["name"] == name).unwrap();
        proxy["admin"].as_str().unwrap().to_owned()
    }

    /// A file in the cluster's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        Path::new(self.address("folder").unwrap()).join(name)
    }

    /// Endpoints come so much later to the Envoys than routes do; for a cluster with `--delay-endpoints`.
    pub(crate) fn delay_endpoints(&self, by: Duration) {
        fs::write(self.file("endpoint-delay"), format!("{}ms", by.as_millis())).unwrap();
    }
}

impl fmt::Debug for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bed({})", self.about)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let mut cluster = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        drop(cluster.stdin.take());
        let _ = cluster.wait();
    }
}

/// Who talks to the API server for the test.
fn client(kubeconfig: &str) -> kube::Client {
    let config = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    RUNTIME.block_on(async {
        let config = kube::Config::from_custom_kubeconfig(config, &options).await.unwrap();
        kube::Client::try_from(config).unwrap()
    })
}
