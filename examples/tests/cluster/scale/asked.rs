//! What a controller asks the API server for, from the audit log.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::PathBuf,
};

/// Reads the log on from where it was read last.
#[derive(Debug)]
pub(super) struct Asking {
    log: PathBuf,
    read: u64,
}

/// How many requests of which kind.
#[derive(Debug, Default, Clone)]
pub(super) struct Asked {
    /// By verb and resource, watches aside.
    pub(super) by: BTreeMap<String, u64>,
    /// Answered with 429.
    pub(super) refused: u64,
    /// Events of these.
    pub(super) events: u64,
    /// That write, events aside.
    pub(super) writes: u64,
}

impl Asked {
    /// All of them, events too.
    pub(super) fn count(&self) -> u64 {
        self.by.values().sum()
    }

    /// Those of another time, too.
    pub(super) fn join(&mut self, other: &Self) {
        for (what, count) in &other.by {
            *self.by.entry(what.clone()).or_default() += count;
        }
        self.refused += other.refused;
        self.events += other.events;
        self.writes += other.writes;
    }

    fn add(&mut self, line: &Value) {
        let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let verb = text("/verb");
        if text("/stage") != "ResponseComplete" || verb == "watch" {
            return;
        }
        let (resource, below) = (text("/objectRef/resource"), text("/objectRef/subresource"));
        // Leases of who is in charge are asked for on a clock of their own, and discovery has no object.
        let what = match (resource, below) {
            ("", _) => format!("{verb} (no object)"),
            (resource, "") => format!("{verb} {resource}"),
            (resource, below) => format!("{verb} {resource}/{below}"),
        };
        *self.by.entry(what).or_default() += 1;
        if resource == "events" {
            self.events += 1;
        } else if !matches!(verb, "get" | "list") {
            self.writes += 1;
        }
        if line.pointer("/responseStatus/code").and_then(Value::as_u64) == Some(429) {
            self.refused += 1;
        }
    }
}

impl Asking {
    pub(super) fn new(log: PathBuf) -> Self {
        Self { log, read: 0 }
    }

    /// What was asked since it was called last.
    pub(super) fn since(&mut self) -> Asked {
        let mut asked = Asked::default();
        let mut file = BufReader::new(File::open(&self.log).unwrap());
        file.seek(SeekFrom::Start(self.read)).unwrap();
        let mut line = String::new();
        // A line that is just being written is read the next time.
        while file.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
            self.read += u64::try_from(line.len()).unwrap();
            asked.add(&serde_json::from_str(&line).unwrap_or_default());
            line.clear();
        }
        asked
    }
}
