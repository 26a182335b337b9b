//! The data plane as one rollout sees it.

use super::{
    Istiod,
    subject::{State, Subject},
    watches::Answer,
};
use async_trait::async_trait;
use rollout_core::{
    Revision,
    backend::{DataPlane, Fetch, RolloutRef},
    traffic::{ObjectRef, ObjectVersion, Settled, Version},
};
use std::{sync::Arc, time::Duration};

#[derive(Debug)]
pub(super) struct Asked<F> {
    pub(super) istiod: Arc<Istiod<F>>,
    pub(super) who: RolloutRef,
}

impl<F: Fetch> Asked<F> {
    fn ask(&self, subject: &Subject, state: &State) -> Settled {
        let (elapsed, now) = (self.istiod.fetch.elapsed(), self.istiod.fetch.now());
        let mut inner = self.istiod.inner();
        // Before the first round nothing is known, not even that no replica can be asked.
        let is_unknown = inner.rounds > 0 && inner.replicas.is_empty();
        let first = if is_unknown { Answer::Unknown } else { Answer::NotYet(Vec::new()) };
        let settled = inner.watches.ask(&self.who, (subject, state), first, (elapsed, now));
        if matches!(subject, Subject::Endpoints { .. }) && settled == Settled::Yes {
            inner.verify_endpoints(elapsed);
        }
        settled
    }
}

#[async_trait]
impl<F: Fetch + 'static> DataPlane for Asked<F> {
    async fn objects(&self, of: &Version) -> Settled {
        let ask = |(name, version): &(ObjectRef, ObjectVersion)| {
            self.ask(&Subject::Object(name.clone()), &State::Object(version.clone()))
        };
        of.objects().iter().map(ask).fold(Settled::Yes, Settled::and)
    }

    async fn endpoints(&self, of: &Revision) -> Settled {
        let Some(ready) = self.istiod.fetch.ready(&self.who.namespace, of).await else {
            return Settled::UNKNOWN;
        };
        let subject = Subject::Endpoints { namespace: self.who.namespace.to_string(), revision: of.clone() };
        self.ask(&subject, &State::Endpoints(ready.into_iter().collect()))
    }

    /// Istiod names only connected proxies. A proxy that lost its connection before this process started becomes known
    /// once it has returned.
    async fn proxies_known_in(&self) -> Duration {
        let age = self.istiod.fetch.elapsed().saturating_sub(self.istiod.began);
        self.istiod.reconnects.saturating_sub(age)
    }
}
