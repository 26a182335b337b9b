use super::{super::publish::KubeEvent, TurnRunner};
use crate::{
    rollout::kube_events::{Before, EventTranslator},
    text::one_line,
};
use rollout_core::{
    Action, Escaped, Event, Status,
    backend::{CopiedFrom, Topic},
    traffic::Selection,
};

/// The most bytes of the reason why a ReplicaSet was refused.
const REFUSAL: usize = 1 << 10;

impl TurnRunner<'_> {
    /// Publishes a problem once; again only after it was over.
    pub(super) fn publish_once(&mut self, event: &KubeEvent) {
        if self.memory.troubles.insert(format!("{}: {}", event.reason, event.note)) {
            self.context.publisher.publish(&self.reading.rollout.value, event, self.context.now());
        }
    }

    /// Reports the objects of the traffic that are copies, which no proxy reads: each once.
    pub(super) async fn publish_copies(&mut self) {
        let objects =
            self.reading.observed.traffic.as_ref().map(|seen| seen.version.clone()).unwrap_or_default();
        // What is not in the cache would cost a request in every turn.
        let caches = &self.context.caches;
        for (object, _) in objects.objects().iter().filter(|(object, _)| caches.is_watched(object)) {
            let Ok(read) = caches.get(object).await else { continue };
            let Some(from) = CopiedFrom::of(&read.value) else { continue };
            let note = one_line(format!("{object} {from}; {}", CopiedFrom::INSTEAD), REFUSAL);
            if self.memory.copies.insert(note.clone()) {
                tracing::warn!(rollout = self.name, why = %Escaped(&note), "an object is a copy");
                let event = KubeEvent::warning("CopiedObject", note);
                self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
            }
        }
    }

    /// Reports why the traffic could not be read.
    pub(super) fn publish_trouble(&mut self) {
        let Some(trouble) = self.reading.trouble.as_ref().filter(|_| self.grace.is_none()) else { return };
        let (why, missing) = (trouble.why.clone(), trouble.missing.clone());
        let text = missing.and_then(|object| self.backend.describe(Topic::Missing(&object)).pop());
        let event = text.map_or_else(
            || KubeEvent::warning("TrafficRoutingError", why.clone()),
            |text| KubeEvent::warning(text.reason, text.note),
        );
        if !self.memory.troubles.contains(&format!("{}: {}", event.reason, event.note)) {
            tracing::warn!(rollout = self.name, why = %Escaped(&why), "the traffic could not be read");
        }
        if self.context.dry_run {
            self.memory.troubles.insert(format!("{}: {}", event.reason, event.note));
        } else {
            self.publish_once(&event);
        }
    }

    /// Reports a refused action, with Argo Rollouts' reason and text.
    pub(super) fn publish_refusal(&mut self, action: &Action, before: Option<Before>, why: &str) {
        match action {
            Action::Select(_) | Action::Route(_) => {
                self.publish_once(&KubeEvent::warning("TrafficRoutingError", why));
            }
            Action::Scale { revision, .. } if before == Some(Before::Absent) => {
                let name = crate::replica_set::name(&self.reading.rollout.value, revision);
                let note = format!("Failed to create new replica set \"{name}\": {why}");
                self.memory.refused = Some((revision.clone(), one_line(why, REFUSAL)));
                self.publish_once(&KubeEvent::warning("ReplicaSetCreateError", note));
            }
            Action::Run(_) => self.publish_once(&KubeEvent::warning("AnalysisRunError", why)),
            Action::Scale { .. } | Action::Prune { .. } => {}
        }
    }

    pub(super) fn publish(&mut self, events: &[Event], status: &Status, next: &Status, before: Vec<Before>) {
        let seen = self.reading.observed.traffic.as_ref();
        let first = |behind: &Vec<Selection>| behind.first().cloned();
        let selected = seen.map(|seen| seen.behind.as_ref().map(first)).unwrap_or_default();
        let backend = self.backend;
        let mut translator = EventTranslator {
            rollout: &self.reading.rollout.value,
            describe: &|topic| backend.describe(topic),
            sets: &self.reading.sets,
            before,
            selected,
            weight: self.memory.weight,
            status,
            current: next.canary.as_ref(),
            steps: self.spec.strategy.steps().len(),
        };
        let kube_events = translator.translate(events);
        self.memory.weight = translator.weight;
        for event in kube_events {
            self.context.publisher.publish(&self.reading.rollout.value, &event, self.context.now());
        }
        for event in events {
            tracing::info!(rollout = self.name, event = %Escaped(event), "done");
        }
    }
}
