use super::{Bed, Process};
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

/// A real Prometheus that scrapes the real Envoys every second.
#[derive(Debug)]
pub(crate) struct Prometheus {
    /// None while it is stopped.
    process: Option<Process>,
    folder: PathBuf,
    port: u16,
}

impl Prometheus {
    pub(crate) fn start(bed: &Bed, name: &str) -> Self {
        let folder = bed.file(&format!("prometheus-{name}"));
        fs::create_dir_all(&folder).unwrap();
        let targets: Vec<String> =
            ["sidecar-1", "sidecar-2", "gateway"].map(|proxy| bed.envoy(proxy).replace("http://", "")).into();
        let scrape = serde_json::json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{
                "job_name": "envoys", "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": targets}]
            }]
        });
        // JSON is YAML, too.
        fs::write(folder.join("prometheus.yml"), scrape.to_string()).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut it = Self { process: None, folder, port };
        it.resume();
        it
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops it: nobody answers at its address.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again, with what it knew.
    pub(crate) fn resume(&mut self) {
        let flag = |name: &str, value: String| format!("--{name}={value}");
        let flags = [
            flag("config.file", self.folder.join("prometheus.yml").display().to_string()),
            flag("storage.tsdb.path", self.folder.join("data").display().to_string()),
            flag("web.listen-address", format!("127.0.0.1:{}", self.port)),
        ];
        let log = self.folder.join("prometheus.log");
        self.process = Some(Process::start(Path::new("prometheus"), &flags, ("TZ", "UTC"), &log));
    }
}
