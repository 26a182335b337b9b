//! What the recorded objects mean: the truth that the laws judge.
//!
//! Without asking any proxy there is one that has everything as soon as the API server has it.

use super::Seen;
use rollout_core::{
    CommandKind, Range, Revision, Spec, Status, Time,
    argo::{check, convert, read_status, template_hash, wire::Rollout, with_template, workload_ref},
    backend::{
        FENCE_ANNOTATION, Layer, Object, ObjectEditor, REVISION_LABEL, ServiceEditor, annotation, note,
    },
    sim::{Content, Pod, Proxy, ProxyEndpoints, SimulatedWorkload, TrafficObject, Truth},
    traffic::{ObjectRef, ObjectVersion, RoutesSeen},
};
use rollout_istio::{IstioConfig, IstioEditor};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The name of the proxy that has everything at once.
const AS_STORED: &str = "as-stored";

/// The objects so far.
#[derive(Default)]
pub(crate) struct World {
    objects: BTreeMap<(&'static str, String), Arc<Value>>,
    /// Pods by uid, in the order in which they were met.
    ids: Vec<String>,
    /// Pods that were told to end because fewer were asked for.
    asked: BTreeSet<u64>,
    spec: Option<Spec>,
    status: Status,
    /// What a person asked for by writing into the status, as long as nobody has heard it.
    pub(crate) requests: Vec<CommandKind>,
}

impl World {
    /// A version of an object: what was there before.
    pub(crate) fn becomes(&mut self, seen: &Seen) -> Option<Arc<Value>> {
        let key = (seen.kind, seen.name.clone());
        let before =
            if seen.gone { self.objects.remove(&key) } else { self.objects.insert(key, seen.value.clone()) };
        match seen.kind {
            "Rollout" => {
                self.respecify();
                self.rollout(&seen.value);
            }
            "Pod" => self.pod(&seen.value),
            "Deployment" | "PodTemplate" | "ReplicaSet" => self.respecify(),
            _ => {}
        }
        before
    }

    /// Reads what the Rollout wants, with the template of its workload. As long as that is missing, what it wanted last
    /// counts.
    fn respecify(&mut self) {
        let Some(rollout) = self.of("Rollout").next() else { return };
        let whole = match workload_ref(rollout) {
            None => rollout.clone(),
            Some(Err(_)) => return,
            Some(Ok(of)) => {
                let mut all = self.objects.iter();
                let found = all.find(|((kind, name), _)| **kind == *of.kind && **name == *of.name);
                let Some((_, workload)) = found else { return };
                let template = workload.pointer("/spec/template").or_else(|| workload.get("template"));
                let Some(template) = template.cloned() else { return };
                with_template(rollout, template, workload.pointer("/spec/selector"))
            }
        };
        let target = whole.pointer("/spec/template").map(template_hash);
        self.spec = target.and_then(|target| convert(&check(&whole).rollout, target).with_analyses().spec);
    }

    fn rollout(&mut self, rollout: &Value) {
        if let Ok(read) = read_status(rollout.get("status").unwrap_or(&Value::Null)) {
            let before = std::mem::replace(&mut self.status, read.status);
            self.requests = read.requests;
            // It is stored as it is asked for.
            if self.status.promote_full && !before.promote_full {
                self.requests.push(CommandKind::PromoteFull);
            }
        }
    }

    /// Whether a pod was told to end because fewer were asked for.
    fn pod(&mut self, pod: &Value) {
        let id = self.id(uid(pod));
        if pod.pointer("/metadata/deletionTimestamp").is_none() || self.asked.contains(&id) {
            return;
        }
        let revision = label(pod);
        let remain = self.of("Pod").filter(|other| {
            label(other) == revision && other.pointer("/metadata/deletionTimestamp").is_none()
        });
        let remain = remain.count();
        let wanted = self.of("ReplicaSet").find(|set| label(set) == revision).map_or(0, wanted);
        if remain >= wanted as usize {
            self.asked.insert(id);
        }
    }

    fn id(&mut self, uid: &str) -> u64 {
        let place = self.ids.iter().position(|known| known == uid).unwrap_or_else(|| {
            self.ids.push(uid.to_owned());
            self.ids.len() - 1
        });
        place as u64 + 1
    }

    fn known(&self, uid: &str) -> Option<u64> {
        self.ids.iter().position(|known| known == uid).map(|place| place as u64 + 1)
    }

    fn of(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |((of, _), _)| *of == kind).map(|(_, value)| &**value)
    }

    /// What there is; `None` as long as there is no valid Rollout.
    pub(crate) fn truth(&self, at: i64) -> Option<Truth> {
        let now = Time::from_millis(at);
        let rollout = self.of("Rollout").next()?;
        let mut truth = Truth::new(self.spec.clone()?, now);
        truth.status = self.status.clone();
        truth.workloads = self.of("ReplicaSet").filter_map(|set| self.workload(set)).collect();
        truth.workloads.sort_by_key(|workload| workload.number);
        truth.traffic = self.traffic(rollout);
        let mut proxy = Proxy::new(AS_STORED);
        proxy.objects =
            truth.traffic.iter().map(|object| (object.generation, object.content.clone())).collect();
        proxy.endpoints = truth.workloads.iter().map(|workload| self.endpoints(workload)).collect();
        truth.proxies = vec![proxy];
        Some(truth)
    }

    fn workload(&self, set: &Value) -> Option<SimulatedWorkload> {
        let revision = Revision::from(label(set)?);
        let number = annotation(set, "rollout.argoproj.io/revision")?.parse().ok()?;
        let mut workload = SimulatedWorkload::new(revision, number);
        workload.wanted = wanted(set);
        workload.scale_down_deadline = annotation(set, "scale-down-deadline").and_then(Time::parse_rfc3339);
        workload.version = version_of(set);
        workload.nonce = annotation(set, FENCE_ANNOTATION).map(Into::into);
        workload.pods =
            self.of("Pod").filter(|pod| label(pod) == label(set)).filter_map(|pod| self.read(pod)).collect();
        Some(workload)
    }

    fn read(&self, pod: &Value) -> Option<Pod> {
        let id = self.known(uid(pod))?;
        let time = |path| pod.pointer(path).and_then(Value::as_str).and_then(Time::parse_rfc3339);
        let mut read = Pod::new(id, time("/metadata/creationTimestamp")?);
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions.into_iter().flatten().find(|condition| is(condition, "type", "Ready"));
        // One that was told to end goes on answering until it is gone.
        read.ready = ready.is_some_and(|ready| is(ready, "status", "True"));
        read.ends = time("/metadata/deletionTimestamp").filter(|_| self.asked.contains(&id));
        Some(read)
    }

    /// The pods of a revision that the endpoint slices call ready.
    fn endpoints(&self, workload: &SimulatedWorkload) -> ProxyEndpoints {
        if self.of("EndpointSlice").next().is_none() {
            let ready = workload.pods.iter().filter(|pod| pod.ready && pod.ends.is_none());
            return ProxyEndpoints::new(workload.revision.clone(), ready.map(|pod| pod.id).collect());
        }
        let endpoints =
            self.of("EndpointSlice").filter_map(|slice| slice.get("endpoints")?.as_array()).flatten();
        let ready = endpoints.filter(|endpoint| {
            endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true)
        });
        let ids: BTreeSet<u64> = ready
            .filter_map(|endpoint| self.known(endpoint.pointer("/targetRef/uid")?.as_str()?))
            .filter(|id| workload.pods.iter().any(|pod| pod.id == *id))
            .collect();
        ProxyEndpoints::new(workload.revision.clone(), ids.into_iter().collect())
    }

    fn traffic(&self, rollout: &Value) -> Vec<TrafficObject> {
        let roles = self.status.stable_ping_pong.unwrap_or_default();
        let wire = Rollout::from_value(rollout).with_roles(roles);
        let services = ServiceEditor::from_wire(&wire);
        let mut traffic = services.map(|services| self.parts(&services)).unwrap_or_default();
        if let Ok(Some(config)) = IstioConfig::from_wire(&wire) {
            traffic.extend(self.parts(&IstioEditor::new(config)));
        }
        // The Services of `pingPong` keep their places.
        traffic.sort_by(|one, other| one.name.cmp(&other.name));
        traffic
    }

    /// What each object of an editor says by itself.
    fn parts(&self, editor: &dyn ObjectEditor) -> Vec<TrafficObject> {
        let all: BTreeMap<ObjectRef, Object> =
            self.objects.iter().filter_map(|((kind, _), value)| object(kind, value)).collect();
        let mut parts = Vec::new();
        for name in editor.objects() {
            let content = content(editor, &all, &name);
            let mut part = TrafficObject::new(name.clone(), content);
            if let Some(object) = all.get(&name) {
                part.write = version_of(&object.value);
                part.generation = object.version.content;
                part.nonce = note(&name, &object.value, FENCE_ANNOTATION, editor.rollout()).map(Into::into);
            }
            parts.push(part);
        }
        parts
    }
}

fn content(editor: &dyn ObjectEditor, all: &BTreeMap<ObjectRef, Object>, name: &ObjectRef) -> Content {
    let seen = editor.read_one(all, name).ok();
    if editor.layer(name) == Layer::Routes {
        let nothing = || RoutesSeen::new(Range::exact(0));
        return Content::Routes {
            stable_elsewhere: seen.as_ref().is_some_and(|seen| seen.used_elsewhere.stable),
            canary_elsewhere: seen.as_ref().is_some_and(|seen| seen.used_elsewhere.canary),
            routes: seen.and_then(|mut seen| seen.routes.pop()).unwrap_or_else(nothing),
        };
    }
    let (stable, canary) =
        seen.map_or((None, None), |mut seen| (seen.behind.stable.pop(), seen.behind.canary.pop()));
    Content::Selectors { stable, canary }
}

/// An object as the editors know it.
fn object(kind: &str, value: &Arc<Value>) -> Option<(ObjectRef, Object)> {
    let group = match kind {
        "Service" => "",
        "VirtualService" | "DestinationRule" => "networking.istio.io",
        _ => return None,
    };
    let text = |path| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let name = ObjectRef::new(group, kind, text("/metadata/namespace"), text("/metadata/name"));
    let version = ObjectVersion {
        write: text("/metadata/resourceVersion").into(),
        // A Service has none: each of its versions counts.
        content: value
            .pointer("/metadata/generation")
            .and_then(Value::as_u64)
            .unwrap_or_else(|| version_of(value)),
    };
    Some((name, Object { value: Arc::clone(value), version }))
}

/// The revision that an object or pod belongs to.
pub(crate) fn label(value: &Value) -> Option<&str> {
    value.pointer("/metadata/labels")?.get(REVISION_LABEL)?.as_str()
}

fn wanted(set: &Value) -> u32 {
    let wanted = set.pointer("/spec/replicas").and_then(Value::as_u64);
    wanted.and_then(|pods| u32::try_from(pods).ok()).unwrap_or(0)
}

fn is(value: &Value, key: &str, text: &str) -> bool {
    value.get(key).and_then(Value::as_str) == Some(text)
}

fn uid(value: &Value) -> &str {
    value.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
}

fn version_of(value: &Value) -> u64 {
    let text = value.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
