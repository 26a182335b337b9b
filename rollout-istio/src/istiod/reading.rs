//! One replica's answers at one moment.

use super::wire::{Config, Proxy, Service, Shardz, push_number};
use rollout_core::{
    Revision,
    backend::REVISION_LABEL,
    traffic::{ObjectRef, ObjectVersion},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

/// The paths that are asked for, in this order: what has been pushed is asked last, so that it is never
/// older than what was to be pushed.
pub(super) const PATHS: [&str; 4] =
    ["/debug/configz", "/debug/registryz", "/debug/endpointShardz", "/debug/syncz"];

/// By namespace and host: each healthy endpoint's addresses and revision.
type Endpoints = BTreeMap<(String, String), Vec<Endpoint>>;
type Endpoint = (Vec<String>, Option<String>);

/// What one replica has seen, and what its proxies have of it.
#[derive(Debug)]
pub(super) struct Reading {
    objects: HashMap<ObjectRef, (u64, String)>,
    services: HashMap<(String, String), (String, Option<String>)>,
    endpoints: Endpoints,
    /// Each proxy, and whether it has acknowledged all that was sent to it.
    pub(super) proxies: Vec<(String, bool)>,
    /// The newest push that any proxy was sent.
    pub(super) newest: u64,
    /// Differs when anything differs that could cause a push.
    pub(super) digest: u64,
}

impl Reading {
    pub(super) fn parse(bodies: [&[u8]; 4]) -> Result<Self, serde_json::Error> {
        let [objects, services, shards, proxies] = bodies;
        let objects: Vec<Config> = serde_json::from_slice(objects)?;
        let services: Vec<Service> = serde_json::from_slice(services)?;
        let shards: Shardz = serde_json::from_slice(shards)?;
        let proxies: Vec<Proxy> = serde_json::from_slice(proxies)?;
        let object = |config: Config| {
            let group = config.api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
            let metadata = config.metadata;
            let name = ObjectRef::new(&group, &config.kind, &metadata.namespace, &metadata.name);
            (name, (metadata.generation, metadata.resource_version))
        };
        let service = |service: Service| {
            let selector = service.attributes.label_selectors.unwrap_or_default().remove(REVISION_LABEL);
            let name = (service.attributes.namespace, service.attributes.name);
            (name, (service.resource_version, selector))
        };
        let newest =
            proxies.iter().flat_map(Proxy::sent_and_acked).filter_map(|(sent, _)| push_number(sent)).max();
        let has_all = |proxy: &Proxy| proxy.sent_and_acked().iter().all(|(sent, acked)| sent == acked);
        let mut reading = Self {
            objects: objects.into_iter().map(object).collect(),
            services: services.into_iter().map(service).collect(),
            endpoints: endpoints(shards),
            proxies: proxies.iter().map(|proxy| (proxy.id.clone(), has_all(proxy))).collect(),
            newest: newest.unwrap_or(0),
            digest: 0,
        };
        reading.digest = reading.digest();
        Ok(reading)
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut objects: Vec<_> = self.objects.iter().map(|(name, (_, version))| (name, version)).collect();
        objects.sort_unstable();
        let mut services: Vec<_> = self.services.iter().collect();
        services.sort_unstable();
        (objects, services, &self.endpoints).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the replica has seen this state of an object, or a later one.
    pub(super) fn has(&self, name: &ObjectRef, version: &ObjectVersion) -> bool {
        if name.group.is_empty() && *name.kind == *"Service" {
            return self.has_service(name, version);
        }
        self.objects.get(name).is_some_and(|(generation, write)| {
            *generation >= version.content && *generation > 0 || **write == *version.write
        })
    }

    /// A Service changes its endpoints only a little later: all must be of the revision that it selects.
    fn has_service(&self, name: &ObjectRef, version: &ObjectVersion) -> bool {
        let key = (name.namespace.to_string(), name.name.to_string());
        let Some((write, selects)) = self.services.get(&key) else { return false };
        let number = |text: &str| text.parse::<u64>().ok();
        let is_new = **write == *version.write
            || number(write).zip(number(&version.write)).is_some_and(|(has, wanted)| has >= wanted);
        let short = |host: &str| host.split('.').next() == Some(&*name.name);
        let mut behind = self
            .endpoints
            .iter()
            .filter(|((namespace, host), _)| *namespace == *name.namespace && short(host));
        is_new
            && selects.as_ref().is_none_or(|selects| {
                behind.all(|(_, all)| all.iter().all(|(_, revision)| revision.as_ref() == Some(selects)))
            })
    }

    /// Whether every Service that has endpoints of this revision has all of `ready`, and one has.
    pub(super) fn has_endpoints(
        &self,
        namespace: &str,
        revision: &Revision,
        ready: &BTreeSet<String>,
    ) -> bool {
        let mut found = ready.is_empty();
        for ((at, _), all) in &self.endpoints {
            let of_revision = |other: &&Endpoint| other.1.as_deref() == Some(revision.as_str());
            let addresses: BTreeSet<&str> = all
                .iter()
                .filter(of_revision)
                .flat_map(|(addresses, _)| addresses)
                .map(String::as_str)
                .collect();
            if at != namespace || addresses.is_empty() {
                continue;
            }
            if !ready.iter().all(|address| addresses.contains(address.as_str())) {
                return false;
            }
            found = true;
        }
        found
    }
}

fn endpoints(by_host: Shardz) -> Endpoints {
    let mut all = Endpoints::new();
    for (host, by_namespace) in by_host {
        for (namespace, of_host) in by_namespace {
            let shards = of_host.shards.unwrap_or_default().into_values().flatten().flatten();
            let healthy = shards.filter(|endpoint| endpoint.health_status <= 1);
            let mut endpoints: Vec<_> = healthy
                .map(|endpoint| {
                    let revision = endpoint.labels.unwrap_or_default().remove(REVISION_LABEL);
                    (endpoint.addresses.unwrap_or_default(), revision)
                })
                .collect();
            endpoints.sort_unstable();
            all.insert((namespace, host.clone()), endpoints);
        }
    }
    all
}
