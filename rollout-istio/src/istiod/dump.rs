//! The knowledge of one replica: three dumps, each parsed only when it differs from the last.

use super::{
    scope::Scope,
    subject::{State, Subject},
    wire::{Config, Service, Shardz},
};
use rollout_core::traffic::{ObjectRef, ObjectVersion};
use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, Hash, RandomState},
    time::Duration,
};

/// The paths of the dumps.
pub(super) const PATHS: [&str; 3] = ["/debug/configz", "/debug/registryz", "/debug/endpointShardz"];

/// The dumps that are needed, in the order of [`PATHS`].
pub(super) type Which = [bool; 3];

/// Returns the dumps that show this subject.
pub(super) fn which(subject: &Subject) -> Which {
    match subject {
        Subject::Object(name) if is_service(name) => [false, true, true],
        Subject::Object(_) => [true, false, false],
        Subject::Endpoints { .. } => [false, false, true],
    }
}

fn is_service(name: &ObjectRef) -> bool {
    name.group.is_empty() && *name.kind == *"Service"
}

/// Everything that a replica has seen, as last read.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    hashes: RandomState,
    read: [Option<Read>; 3],
    /// Generation and resource version, by the hash of the name.
    objects: HashMap<u64, (u64, Box<str>)>,
    exports: HashMap<u64, Vec<String>>,
    pub(super) scope: Scope,
    /// Resource version, and the revision that is selected.
    services: HashMap<u64, (Box<str>, Option<String>)>,
    /// By namespace and revision: the addresses at each host.
    endpoints: HashMap<u64, Vec<BTreeSet<String>>>,
    /// By namespace and Service: the revisions of its endpoints.
    behind: HashMap<u64, BTreeSet<Option<String>>>,
}

#[derive(Debug, Clone, Copy)]
struct Read {
    body: u64,
    /// Differs when anything differs that could cause a push.
    digest: u64,
    /// Since when the dump has been unchanged.
    since: Duration,
    /// When the dump was last requested.
    begun: Duration,
}

impl Dumps {
    /// Takes a dump in, by its index in [`PATHS`].
    ///
    /// # Errors
    /// The dump is invalid.
    pub(super) fn take_in(
        &mut self,
        index: usize,
        body: &[u8],
        (begun, ended): (Duration, Duration),
    ) -> Result<(), serde_json::Error> {
        let hash = self.hashes.hash_one(body);
        let known = self.read.get(index).copied().flatten();
        let read = match known {
            Some(read) if read.body == hash => Read { begun, ..read },
            _ => {
                let digest = match index {
                    0 => self.parse_objects(body)?,
                    1 => self.parse_services(body)?,
                    _ => self.parse_endpoints(body)?,
                };
                let since = known.filter(|read| read.digest == digest).map_or(ended, |read| read.since);
                Read { body: hash, digest, since, begun }
            }
        };
        if let Some(slot) = self.read.get_mut(index) {
            *slot = Some(read);
        }
        Ok(())
    }

    /// Forgets everything after a restart of the replica, so that it is read again.
    pub(super) fn forget(&mut self) {
        self.read = [None; 3];
    }

    /// Returns since when nothing has changed that could cause a push, and until when that is known.
    pub(super) fn quiet(&self) -> Option<(Duration, Duration)> {
        let mut quiet = (Duration::ZERO, Duration::MAX);
        for read in &self.read {
            let read = (*read)?;
            quiet = (quiet.0.max(read.since), quiet.1.min(read.begun));
        }
        Some(quiet)
    }

    /// Returns when the endpoints were last requested.
    pub(super) fn endpoints_read(&self) -> Option<Duration> {
        let [_, _, endpoints] = self.read;
        endpoints.map(|read| read.begun)
    }

    /// Returns whether the replica has seen this state, or a later one.
    pub(super) fn has(&self, subject: &Subject, state: &State) -> bool {
        match (subject, state) {
            (Subject::Object(name), State::Object(version)) if is_service(name) => {
                self.has_service(name, version)
            }
            (Subject::Object(name), State::Object(version)) => {
                self.objects.get(&self.key_of(name)).is_some_and(|(generation, write)| {
                    *generation >= version.content && *generation > 0 || **write == *version.write
                })
            }
            (Subject::Endpoints { namespace, revision }, State::Endpoints(ready)) => {
                let hosts =
                    self.endpoints.get(&self.hashes.hash_one((namespace.as_str(), revision.as_str())));
                // Every Service that has endpoints of this revision must have all of them, and at least one Service
                // must have them.
                let mut hosts = hosts.into_iter().flatten().peekable();
                ready.is_empty() || hosts.peek().is_some() && hosts.all(|at| ready.is_subset(at))
            }
            (Subject::Object(_), State::Endpoints(_)) | (Subject::Endpoints { .. }, State::Object(_)) => {
                false
            }
        }
    }

    /// Returns the namespaces that may see an object by its own setting; empty if it has none.
    pub(super) fn exports(&self, subject: &Subject) -> &[String] {
        let Subject::Object(name) = subject else { return &[] };
        self.exports.get(&self.key_of(name)).map_or(&[], Vec::as_slice)
    }

    fn key_of(&self, name: &ObjectRef) -> u64 {
        self.key(&name.group, &name.kind, &name.namespace, &name.name)
    }

    fn key(&self, group: &str, kind: &str, namespace: &str, name: &str) -> u64 {
        self.hashes.hash_one((group, kind, namespace, name))
    }

    /// Returns whether a Service is up to date. Its endpoints change a little later than its selector: all must be of
    /// the selected revision.
    fn has_service(&self, name: &ObjectRef, version: &ObjectVersion) -> bool {
        let key = self.hashes.hash_one((&*name.namespace, &*name.name));
        let Some((write, selects)) = self.services.get(&key) else { return false };
        let number = |text: &str| text.parse::<u64>().ok();
        let is_new = **write == *version.write
            || number(write).zip(number(&version.write)).is_some_and(|(has, wanted)| has >= wanted);
        let mut behind = self.behind.get(&key).into_iter().flatten();
        is_new && selects.as_ref().is_none_or(|selects| behind.all(|of| of.as_ref() == Some(selects)))
    }

    fn parse_objects(&mut self, body: &[u8]) -> Result<u64, serde_json::Error> {
        let all: Vec<Config<'_>> = serde_json::from_slice(body)?;
        let (mut objects, mut exports, mut scope) = (HashMap::new(), HashMap::new(), Scope::default());
        let mut digest = 0;
        for config in all {
            let group = config.api_version.split_once('/').map_or("", |(group, _)| group);
            let Config { kind, metadata, spec, .. } = &config;
            let key = self.key(group, kind, &metadata.namespace, &metadata.name);
            if !spec.export_to.is_empty() {
                exports.insert(key, spec.export_to.clone());
            }
            if kind == "Sidecar" {
                scope.add(&metadata.namespace, spec);
            }
            digest = self.mix(digest, &(key, &metadata.resource_version));
            objects.insert(key, (metadata.generation, Box::from(&*metadata.resource_version)));
        }
        (self.objects, self.exports, self.scope) = (objects, exports, scope);
        Ok(digest)
    }

    fn parse_services(&mut self, body: &[u8]) -> Result<u64, serde_json::Error> {
        let all: Vec<Service<'_>> = serde_json::from_slice(body)?;
        let (mut services, mut digest) = (HashMap::new(), 0);
        for service in all {
            let Service { attributes, resource_version } = service;
            let key = self.hashes.hash_one((&*attributes.namespace, &*attributes.name));
            let selects = attributes.label_selectors.unwrap_or_default().revision;
            digest = self.mix(digest, &(key, &resource_version, &selects));
            services.insert(key, (Box::from(&*resource_version), selects));
        }
        self.services = services;
        Ok(digest)
    }

    fn parse_endpoints(&mut self, body: &[u8]) -> Result<u64, serde_json::Error> {
        let by_host: Shardz = serde_json::from_slice(body)?;
        let mut endpoints: HashMap<u64, Vec<BTreeSet<String>>> = HashMap::new();
        let mut behind: HashMap<u64, BTreeSet<Option<String>>> = HashMap::new();
        let mut digest = 0;
        for (host, by_namespace) in by_host {
            let short = host.split('.').next().unwrap_or_default();
            for (namespace, of_host) in by_namespace {
                let at_service = behind.entry(self.hashes.hash_one((&*namespace, short))).or_default();
                let mut at_host: HashMap<String, BTreeSet<String>> = HashMap::new();
                let shards = of_host.shards.unwrap_or_default().into_values().flatten().flatten();
                for endpoint in shards.filter(|endpoint| endpoint.health_status <= 1) {
                    let revision = endpoint.labels.unwrap_or_default().revision;
                    let addresses = endpoint.addresses.unwrap_or_default();
                    digest = self.mix(digest, &(&host, &namespace, &revision, &addresses));
                    if let Some(revision) = &revision {
                        at_host.entry(revision.clone()).or_default().extend(addresses);
                    }
                    at_service.insert(revision);
                }
                for (revision, addresses) in at_host {
                    let key = self.hashes.hash_one((namespace.as_str(), revision.as_str()));
                    endpoints.entry(key).or_default().push(addresses);
                }
            }
        }
        (self.endpoints, self.behind) = (endpoints, behind);
        Ok(digest)
    }

    /// Adds a part to a digest that does not depend on the order.
    fn mix(&self, digest: u64, part: &impl Hash) -> u64 {
        digest.wrapping_add(self.hashes.hash_one(part))
    }
}
