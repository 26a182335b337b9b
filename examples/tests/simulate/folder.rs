//! A folder of manifests that lives as long as its test, and what is mostly in one.

use crate::Run;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static MADE: AtomicU32 = AtomicU32::new(0);

/// A folder under the system's one for temporary files.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("simulate-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With a file in it; folders on the way are made.
    pub(crate) fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// `simulate` in this folder, with the programs of `path` in reach: none where that is empty.
    pub(crate) fn simulate_with(&self, words: &[&str], path: &str) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_simulate"))
            .args(words)
            .current_dir(&self.0)
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// `simulate` in this folder, where no other program is installed.
    pub(crate) fn simulate(&self, words: &[&str]) -> Run {
        self.simulate_with(words, "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A Rollout `web` with its two Services and its VirtualService, in the namespace `shop`.
pub(crate) fn web() -> String {
    [rollout(), services(), virtual_service()].join("---\n")
}

/// The Rollout alone.
pub(crate) fn rollout() -> String {
    "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
  strategy:
    canary:
      canaryService: web-canary
      stableService: web
      trafficRouting: {istio: {virtualService: {name: web, routes: [primary]}}}
      steps: [{setWeight: 50}, {pause: {duration: 1m}}]
"
    .to_owned()
}

/// Its two Services.
pub(crate) fn services() -> String {
    let service = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}\n"
        )
    };
    [service("web-canary"), service("web")].join("---\n")
}

/// Its VirtualService.
pub(crate) fn virtual_service() -> String {
    "apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http:
  - name: primary
    route:
    - destination: {host: web}
      weight: 100
    - destination: {host: web-canary}
      weight: 0
"
    .to_owned()
}

/// `text` with something else in the place of something that must be there.
pub(crate) fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} in\n{text}");
    text.replace(from, to)
}

/// Nothing but what is played came of it.
pub(crate) fn plays(run: &Run, note: &str) {
    assert_eq!(run.code, 0, "{}\n{}", run.err, run.out);
    assert!(run.out.contains("AT REST: healthy"), "{}", run.out);
    assert!(run.err.contains(note), "{note:?} in\n{}", run.err);
}

/// Nothing is played, and the one next thing to do is said.
pub(crate) fn refuses(run: &Run, said: &[&str]) {
    assert_eq!((run.code, run.out.as_str()), (2, ""), "{}", run.err);
    for said in said {
        assert!(run.err.contains(said), "{said:?} in\n{}", run.err);
    }
}
