//! Watches one world and writes down what a release manager wants to know.

use super::{
    happening::{Happening, Kind, Layer, PodChange},
    names::Names,
    roles::Roles,
    state,
    waits::Waits,
};
use rollout_core::{
    Event, Failure, Revision, Time,
    sim::{Content, MeshStore, Moment, Truth, Watcher, What},
    traffic::ObjectRef,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The objects of one Rollout, and how they were told last, as YAML.
#[derive(Debug)]
struct Shown {
    store: Arc<MeshStore>,
    /// Which; the store may hold those of others.
    names: BTreeSet<ObjectRef>,
    known: BTreeMap<ObjectRef, String>,
}

/// What happened so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) happenings: Vec<Happening>,
    pub(crate) names: Names,
    waits: Waits,
    /// What pods get by role.
    roles: Roles,
    /// Since when something of a layer has been on its way to the proxies.
    routes_since: Option<Time>,
    selectors_since: Option<Time>,
    /// Ready pods of each revision, as they were told last.
    ready: BTreeMap<Revision, u32>,
    /// Wanted pods and mark of each revision, as they were told last.
    scaled: BTreeMap<Revision, (u32, Option<Time>)>,
    /// `None` when nobody wants to see them.
    objects: Option<Shown>,
    edited: Vec<(ObjectRef, String)>,
}

impl Recorder {
    /// Nothing has happened; with a store, its edits are written down as well.
    pub(crate) fn new(objects: Option<(Arc<MeshStore>, BTreeSet<ObjectRef>)>) -> Self {
        let mut recorder = Self {
            happenings: Vec::new(),
            names: Names::default(),
            waits: Waits::default(),
            roles: Roles::default(),
            routes_since: None,
            selectors_since: None,
            ready: BTreeMap::new(),
            scaled: BTreeMap::new(),
            objects: objects.map(|(store, names)| Shown { store, names, known: BTreeMap::new() }),
            edited: Vec::new(),
        };
        recorder.look_at_objects();
        recorder.edited.clear();
        recorder
    }

    /// What this manifest gives to pods by role counts from now on.
    pub(crate) fn set_roles(&mut self, manifest: &Value) {
        self.roles = Roles::of(manifest);
    }

    /// Writes something down that the world does not tell.
    pub(crate) fn note(&mut self, truth: &Truth, kind: Kind) {
        self.flush_waits(truth.now);
        self.push(truth, kind);
    }

    /// Something was done that may have edited objects, beside the engine.
    pub(crate) fn note_objects(&mut self, truth: &Truth) {
        self.look_at_objects();
        self.push_objects(truth);
    }

    /// What is still waited for in the end.
    pub(crate) fn finish(&mut self, truth: &Truth) {
        self.flush_waits(Time::from_millis(i64::MAX));
        self.push_objects(truth);
        // A wait is written down when it is known to be long, but belongs where it began.
        self.happenings.sort_by_key(|happening| happening.at);
    }

    fn push(&mut self, truth: &Truth, kind: Kind) {
        self.happenings.push(Happening { at: truth.now, kind, state: state::of(truth) });
    }

    /// Waits are told when time passes over them.
    fn flush_waits(&mut self, now: Time) {
        for told in self.waits.told_at(now) {
            let kind = Kind::Waiting { waiting: told.waiting, deadline: told.deadline };
            self.happenings.push(Happening { at: told.since, kind, state: told.state });
        }
    }

    fn push_objects(&mut self, truth: &Truth) {
        for (name, diff) in std::mem::take(&mut self.edited) {
            self.push(truth, Kind::Object { name, diff });
        }
    }

    fn look_at_objects(&mut self) {
        let Some(Shown { store, names, known }) = &mut self.objects else { return };
        for (name, object) in store.all().into_iter().filter(|(name, _)| names.contains(name)) {
            let now = super::objects::yaml(&object.value);
            let before = known.insert(name.clone(), now.clone()).unwrap_or_default();
            if before != now {
                let diff = super::objects::diff(&name.to_string(), &before, &now);
                self.edited.push((name, diff));
            }
        }
    }

    fn events(&mut self, truth: &Truth, events: &[Event]) {
        let mut objects_told = false;
        for event in events {
            if let Event::Started { revision, .. } | Event::Scaled { revision, .. } = event {
                self.names.add(revision);
            }
            // The world's own word for it is told already, or is no news.
            if matches!(event, Event::Resumed) {
                continue;
            }
            let kind = match event {
                Event::Scaled { revision, pods, scale_down_deadline } => {
                    let before = self.scaled.insert(revision.clone(), (*pods, *scale_down_deadline));
                    Kind::Scaled {
                        revision: revision.clone(),
                        pods: *pods,
                        scale_down_deadline: *scale_down_deadline,
                        before,
                    }
                }
                event => Kind::Engine(event.clone()),
            };
            self.push(truth, kind);
            if let Some(labelled) = self.roles.given_with(event, truth.status.stable.is_none()) {
                self.push(truth, labelled);
            }
            if matches!(event, Event::Selected(_) | Event::Routed(_)) && !objects_told {
                objects_told = true;
                self.push_objects(truth);
            }
        }
    }

    /// Something was written: it is on its way to the proxies.
    fn written(&mut self, truth: &Truth) {
        for (layer, since) in
            [(Layer::Routes, &mut self.routes_since), (Layer::Selectors, &mut self.selectors_since)]
        {
            if since.is_none() && !has_all(truth, layer) {
                *since = Some(truth.now);
            }
        }
        self.look_at_objects();
    }

    fn delivered(&mut self, truth: &Truth) {
        for layer in [Layer::Routes, Layer::Selectors] {
            let since = match layer {
                Layer::Routes => &mut self.routes_since,
                Layer::Selectors => &mut self.selectors_since,
            };
            let Some(from) = *since else { continue };
            if has_all(truth, layer) {
                *since = None;
                let after = truth.now.since(from);
                self.push(truth, Kind::Settled { layer, proxies: truth.proxies.len(), after });
            }
        }
    }

    fn pods(&mut self, truth: &Truth, revision: &Revision, change: PodChange) {
        let now = truth.workload(revision).map_or(0, |workload| match change {
            PodChange::Ended => u32::try_from(workload.pods.len()).unwrap_or(u32::MAX),
            PodChange::Ready | PodChange::Lost => workload.ready(),
        });
        let before = self.ready.insert(
            revision.clone(),
            truth.workload(revision).map_or(0, rollout_core::sim::SimulatedWorkload::ready),
        );
        let pods = before.unwrap_or(0).abs_diff(now).max(1);
        // Pods that come or go at the same time are one line.
        if let Some(last) = self.happenings.last_mut()
            && last.at == truth.now
            && let Kind::Pods { revision: same, change: as_well, pods: so_far } = &mut last.kind
            && same == revision
            && *as_well == change
        {
            *so_far += pods;
            last.state = state::of(truth);
            return;
        }
        self.push(truth, Kind::Pods { revision: revision.clone(), change, pods });
    }
}

/// Whether every proxy has every object of a layer.
fn has_all(truth: &Truth, layer: Layer) -> bool {
    truth.traffic.iter().enumerate().all(|(index, object)| {
        let of_layer = matches!(
            (&object.content, layer),
            (Content::Routes { .. }, Layer::Routes) | (Content::Selectors { .. }, Layer::Selectors)
        );
        let has = |copy: Option<&(u64, Content)>| {
            copy.is_some_and(|(generation, _)| *generation == object.generation)
        };
        !of_layer || truth.proxies.iter().all(|proxy| has(proxy.objects.get(index)))
    })
}

impl Watcher for Recorder {
    fn see(&mut self, moment: &Moment<'_>) {
        let truth = moment.truth;
        self.flush_waits(truth.now);
        match moment.what {
            What::Decided { plan, .. } => self.waits.decided(truth.now, plan, &state::of(truth)),
            What::Published { events, .. } => self.events(truth, events),
            What::Acted { took_effect, answer, .. } => {
                if took_effect {
                    self.written(truth);
                }
                if let Some(Err(failure)) = answer {
                    let why = match failure {
                        Failure::Conflict => "another client wrote first",
                        Failure::Refused(why) | Failure::Ambiguous(why) => why,
                    };
                    self.push(truth, Kind::Failed(format!("a write did not get through: {why}")));
                }
            }
            What::Fenced { .. } if self.objects.is_some() => {
                self.written(truth);
                self.push(truth, Kind::Fenced);
                self.push_objects(truth);
            }
            What::ForeignWrite { .. } => self.written(truth),
            What::DeliveredObject { .. } => self.delivered(truth),
            What::Measured(run) => self.push(truth, Kind::Measured(run.clone())),
            What::PodReady(revision) => self.pods(truth, revision, PodChange::Ready),
            What::PodLost(revision) => self.pods(truth, revision, PodChange::Lost),
            What::PodEnded(revision) => self.pods(truth, revision, PodChange::Ended),
            _ => {}
        }
        self.waits.stands(truth.now, &state::of(truth));
    }
}
