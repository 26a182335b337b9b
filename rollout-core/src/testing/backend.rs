//! A conformance suite for backends, to call from a backend's tests.

use crate::{
    Failure, Outcome, Range, Revision,
    backend::{BackendError, TrafficBackend, Written},
    traffic::{
        ManagedChange, ManagedRoute, ManagedSeen, RequestMatch, RouteMatch, Routes, Seen, Selection,
        Selectors, StringMatch, Version, Weight, WeightChange,
    },
};
use alloc::{format, string::String, sync::Arc, vec, vec::Vec};
use core::fmt;

/// The features of the objects to test.
///
/// ```
/// use rollout_core::testing::Try;
/// assert_eq!(Try::new().managed("beta").managed("mirror").managed, ["beta".into(), "mirror".into()]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Try {
    /// The names of managed routes that may be written, in order of precedence.
    pub managed: Vec<Arc<str>>,
}

impl Try {
    /// Tests weights and selectors, if the backend has them.
    ///
    /// See [`try_backend`] for an example.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also tests a managed route of this name.
    ///
    /// See [`Try`] for an example.
    #[must_use]
    pub fn managed(mut self, name: &str) -> Self {
        self.managed.push(name.into());
        self
    }
}

/// A deviation from the required behaviour of a backend.
///
/// ```
/// use rollout_core::backend::{MemoryStore, NoDataPlane, ObjectBackend, ServiceEditor, ready};
/// use rollout_core::testing::{Try, try_backend};
/// let missing = ServiceEditor::new("shop", None, Some("web-canary"));
/// let backend = ObjectBackend::new(missing, MemoryStore::new(), NoDataPlane);
/// let deviations = ready(try_backend(&backend, &Try::new()))?;
/// assert_eq!(deviations[0].to_string(), "observing: it fails: Service shop/web-canary not found");
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deviation {
    /// The operation that was tried.
    pub tried: &'static str,
    /// The required and the actual behaviour.
    pub what: String,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, self.what)
    }
}

/// Tests a backend whose objects are fresh: no weight, no managed route, the user's own selectors, no nonce. No other
/// client may write them meanwhile. At the end they are as they were.
///
/// Returns all deviations; after the first failure of a kind, the rest of that kind is skipped.
///
/// ```
/// use rollout_core::backend::{MemoryStore, NoDataPlane, ServiceEditor, ObjectBackend, ready};
/// use rollout_core::testing::{Try, try_backend};
/// use rollout_core::traffic::ObjectRef;
/// # use serde_json::json;
/// let store = MemoryStore::new();
/// store.apply(&ObjectRef::new("", "Service", "shop", "canary"), json!({"spec": {"selector": {"app": "a"}}}));
/// let backend = ObjectBackend::new(ServiceEditor::new("shop", None, Some("canary")), store, NoDataPlane);
/// assert_eq!(ready(try_backend(&backend, &Try::new()))?, []);
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
pub async fn try_backend(backend: &dyn TrafficBackend, what: &Try) -> Vec<Deviation> {
    let mut trial = Trial { backend, deviations: Vec::new() };
    let Some(fresh) = trial.observes("observing").await else { return trial.deviations };
    trial.expect("observing", fresh.weight() == Range::exact(0), || {
        format!("weight 0 at first, not {}", fresh.weight())
    });
    if let Some(again) = trial.observes("observing twice").await {
        trial.expect("observing twice", again == fresh, || "the same when nothing was written".into());
    }
    if !fresh.routes.is_empty() {
        trial.weights().await;
        if !what.managed.is_empty() {
            trial.managed(&what.managed).await;
        }
    }
    if !(fresh.behind.stable.is_empty() && fresh.behind.canary.is_empty()) {
        trial.selectors(&fresh).await;
    }
    trial.fence().await;
    trial.release(&fresh).await;
    trial.deviations
}

struct Trial<'a> {
    backend: &'a dyn TrafficBackend,
    deviations: Vec<Deviation>,
}

impl Trial<'_> {
    fn expect(&mut self, tried: &'static str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.deviations.push(Deviation { tried, what: what() });
        }
    }

    async fn observes(&mut self, tried: &'static str) -> Option<Seen> {
        match self.backend.observe(&[]).await {
            Ok(seen) => Some(seen),
            Err(error) => {
                self.expect(tried, false, || format!("it fails: {error}"));
                None
            }
        }
    }

    /// Checks a write that must succeed: afterwards the objects must have the versions that it returned.
    async fn wrote(
        &mut self,
        tried: &'static str,
        before: &Version,
        result: Result<Written, BackendError>,
        outcome: Outcome,
    ) -> Option<Seen> {
        match result {
            Ok(written) => {
                self.expect(tried, written.outcome() == outcome, || {
                    format!("{outcome:?}, but it tells that these changed: {:?}", written.changed)
                });
                let seen = self.observes(tried).await?;
                let told = before.after(&written.version);
                self.expect(tried, told == seen.version, || {
                    format!("the versions after it: told {told:?}, read {:?}", seen.version)
                });
                Some(seen)
            }
            Err(error) => {
                self.expect(tried, false, || format!("it fails: {error}"));
                None
            }
        }
    }

    /// Checks a write that is based on an outdated observation.
    async fn refused(&mut self, tried: &'static str, result: Result<Written, BackendError>, now: &Seen) {
        let conflict = result.as_ref().is_err_and(|error| Failure::from(error) == Failure::Conflict);
        self.expect(tried, conflict, || format!("a conflict, not {result:?}"));
        if let Some(seen) = self.observes(tried).await {
            self.expect(tried, seen == *now, || "and nothing is written".into());
        }
    }

    async fn route(&mut self, tried: &'static str, to: &Routes, outcome: Outcome) -> Option<(Version, Seen)> {
        let before = self.observes(tried).await?.version;
        let result = self.backend.route(to, &before).await;
        let seen = self.wrote(tried, &before, result, outcome).await?;
        Some((before, seen))
    }

    async fn weights(&mut self) {
        let tried = "a weight of 5 for v2";
        let five = weight(5, "v2");
        let Some((old, seen)) = self.route(tried, &five, Outcome::Changed).await else { return };
        self.expect(tried, seen.weight() == Range::exact(5), || format!("weight 5, not {}", seen.weight()));
        let named = seen.routes.iter().all(|routes| routes.written_for == Some("v2".into()));
        self.expect(tried, named, || format!("every object names v2: {:?}", seen.routes));
        let stale = self.backend.route(&weight(9, "v2"), &old).await;
        self.refused("a weight on an old observation", stale, &seen).await;
        let _ = self.route("the same weight again", &five, Outcome::Unchanged).await;
        let keep =
            Routes { weight: WeightChange::Keep, managed: ManagedChange::Keep, written_for: "v3".into() };
        let _ = self.route("keeping everything", &keep, Outcome::Unchanged).await;
        for (tried, part) in [("all weight", 100), ("no weight", 0)] {
            let Some((_, seen)) = self.route(tried, &weight(part, "v2"), Outcome::Changed).await else {
                return;
            };
            self.expect(tried, seen.weight() == Range::exact(part), || {
                format!("{part}, not {}", seen.weight())
            });
            let nobody = seen.routes.iter().all(|routes| routes.written_for.is_none());
            self.expect(tried, part > 0 || nobody, || "at weight 0 no object names a revision".into());
        }
    }

    async fn managed(&mut self, names: &[Arc<str>]) {
        let all: Vec<_> = names.iter().map(header).collect();
        let to = |managed| Routes { managed, ..weight(0, "v2") };
        let tried = "managed routes";
        let wanted = to(ManagedChange::To(all.clone()));
        let Some((_, seen)) = self.route(tried, &wanted, Outcome::Changed).await else { return };
        let expected: Vec<_> = all.iter().cloned().map(ManagedSeen::new).collect();
        for routes in seen.routes.iter().filter(|routes| routes.takes_managed) {
            self.expect(tried, routes.managed == expected && routes.in_order, || {
                format!("they are read as they were written, in order: {routes:?}")
            });
        }
        let _ = self.route("the same managed routes again", &wanted, Outcome::Unchanged).await;
        let tried = "retaining one managed route";
        let first: Vec<_> = names.iter().take(1).cloned().collect();
        let outcome = if names.len() > 1 { Outcome::Changed } else { Outcome::Unchanged };
        if let Some((_, seen)) = self.route(tried, &to(ManagedChange::Retain(first)), outcome).await {
            let only = expected.get(..1).unwrap_or_default();
            let right =
                seen.routes.iter().filter(|routes| routes.takes_managed).all(|routes| routes.managed == only);
            self.expect(tried, right, || format!("only the first stays: {:?}", seen.routes));
        }
        let tried = "no managed routes";
        if let Some((_, seen)) = self.route(tried, &to(ManagedChange::To(vec![])), Outcome::Changed).await {
            let gone = !seen.routes.iter().any(crate::traffic::RoutesSeen::leads_to_canary);
            self.expect(tried, gone, || format!("nothing leads to the canary: {:?}", seen.routes));
        }
    }

    async fn selectors(&mut self, fresh: &Seen) {
        let tried = "selectors";
        let to = Selectors { stable: Some(revision("v1")), canary: Some(revision("v2")) };
        let result = self.backend.select(&to, &Version::NONE).await;
        let Some(now) = self.observes(tried).await else { return };
        self.refused("selectors without an observation", result, &now).await;
        let result = self.backend.select(&to, &now.version).await;
        let Some(seen) = self.wrote(tried, &now.version, result, Outcome::Changed).await else { return };
        for (role, was, is, wanted) in [
            ("stable", &fresh.behind.stable, &seen.behind.stable, revision("v1")),
            ("canary", &fresh.behind.canary, &seen.behind.canary, revision("v2")),
        ] {
            let right = was.is_empty() || *is == [wanted];
            self.expect(tried, right, || format!("{role} leads to {is:?}"));
        }
        self.expect(tried, seen.routes == now.routes, || "the routes stay as they were".into());
        let result = self.backend.select(&to, &seen.version).await;
        let _ = self.wrote("the same selectors again", &seen.version, result, Outcome::Unchanged).await;
        let tried = "one selector";
        let one = Selectors { stable: None, canary: Some(Selection::Unpinned) };
        let outcome = if fresh.behind.canary.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
        let result = self.backend.select(&one, &seen.version).await;
        if let Some(after) = self.wrote(tried, &seen.version, result, outcome).await {
            self.expect(tried, after.behind.stable == seen.behind.stable, || {
                "the other destination is kept".into()
            });
        }
    }

    async fn fence(&mut self) {
        let tried = "a fence";
        let Some(before) = self.observes(tried).await else { return };
        let result = self.backend.fence("nonce-1", &before.version).await;
        let Some(after) = self.wrote(tried, &before.version, result, Outcome::Changed).await else { return };
        let objects = before.version.objects();
        let all =
            after.nonces.len() == objects.len() && after.nonces.iter().all(|nonce| **nonce == *"nonce-1");
        self.expect(tried, all, || format!("every object bears the nonce: {:?}", after.nonces));
        let content = |seen: &Seen| {
            seen.version.objects().iter().map(|(_, version)| version.content).collect::<Vec<_>>()
        };
        self.expect(tried, content(&before) == content(&after), || {
            "no content changes, or the proxies would have to be waited for".into()
        });
        let late = self.backend.fence("nonce-2", &before.version).await;
        self.refused("a write from before the fence", late, &after).await;
    }

    async fn release(&mut self, fresh: &Seen) {
        let tried = "release";
        let Some(before) = self.observes(tried).await else { return };
        let result = self.backend.release(&before.version).await;
        let Some(seen) = self.wrote(tried, &before.version, result, Outcome::Changed).await else { return };
        // Versions never go back.
        let Seen { version, routes_content, selectors_content, .. } = fresh.clone();
        let like_fresh = Seen { version, routes_content, selectors_content, ..seen.clone() } == *fresh;
        self.expect(tried, like_fresh, || format!("all is as at first: {seen:?}"));
    }
}

fn weight(weight: u32, written_for: &str) -> Routes {
    let weight = WeightChange::To(Weight::new(weight, 100));
    Routes { weight, managed: ManagedChange::Keep, written_for: written_for.into() }
}

fn header(name: &Arc<str>) -> Arc<ManagedRoute> {
    let value = StringMatch::Exact(format!("for {name}"));
    let matches = RouteMatch::Header(vec![RequestMatch::header("x-try", value)]);
    Arc::new(ManagedRoute { name: name.clone(), matches })
}

fn revision(name: &str) -> Selection {
    Selection::Revision(Revision::from(name))
}
