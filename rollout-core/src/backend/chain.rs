use super::{BackendError, Claim, EventText, Topic, TrafficBackend, Written};
use crate::{
    Revision,
    traffic::{Routes, Seen, Selectors, Version},
};
use alloc::{boxed::Box, vec::Vec};
use async_trait::async_trait;

/// Combines two backends into one, for example the Services of a rollout and its traffic manager.
///
/// Every write goes to the first, then to the second; an error contains what was written before the failure. The two
/// must not share an object.
///
/// ```
/// use rollout_core::backend::{Chain, MemoryStore, NoDataPlane, ObjectBackend, ServiceEditor, TrafficBackend, ready};
/// use rollout_core::traffic::{ObjectRef, Selection};
/// # use serde_json::json;
/// let backend = |stable, canary| {
///     let store = MemoryStore::new();
///     let service = ObjectRef::new("", "Service", "shop", "web");
///     store.apply(&service, json!({"spec": {"selector": {"app": "web"}}}));
///     ObjectBackend::new(ServiceEditor::new("shop", stable, canary), store, NoDataPlane)
/// };
/// let both = Chain::new(backend(Some("web"), None), backend(None, Some("web")));
/// let seen = ready(both.observe(&[]))??;
/// assert!([seen.behind.stable, seen.behind.canary].iter().all(|behind| *behind == [Selection::Unpinned]));
/// assert_eq!(seen.version.objects().len(), 2, "those of both");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Chain<A, B> {
    first: A,
    second: B,
}

impl<A: TrafficBackend, B: TrafficBackend> Chain<A, B> {
    /// Combines two backends.
    ///
    /// See [`Chain`] for an example.
    #[must_use]
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    /// Returns the backend that is written first.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// Returns the backend that is written second.
    pub fn second(&self) -> &B {
        &self.second
    }
}

/// Merges what `first` wrote with the result of the second.
fn both(first: Written, second: Result<Written, BackendError>) -> Result<Written, BackendError> {
    match second {
        Ok(second) => Ok(first.and(second)),
        Err(BackendError::Store { error, written }) => {
            Err(BackendError::Store { error, written: first.and(written) })
        }
        Err(BackendError::Edit { error, written }) => {
            Err(BackendError::Edit { error, written: first.and(written) })
        }
    }
}

#[async_trait]
impl<A: TrafficBackend, B: TrafficBackend> TrafficBackend for Chain<A, B> {
    async fn observe(&self, revisions: &[Revision]) -> Result<Seen, BackendError> {
        let first = self.first.observe(revisions).await?;
        Ok(first.and(self.second.observe(revisions).await?))
    }

    async fn select(&self, to: &Selectors, seen: &Version) -> Result<Written, BackendError> {
        let first = self.first.select(to, seen).await?;
        both(first, self.second.select(to, seen).await)
    }

    async fn route(&self, to: &Routes, seen: &Version) -> Result<Written, BackendError> {
        let first = self.first.route(to, seen).await?;
        both(first, self.second.route(to, seen).await)
    }

    async fn release(&self, seen: &Version) -> Result<Written, BackendError> {
        let first = self.first.release(seen).await?;
        both(first, self.second.release(seen).await)
    }

    async fn fence(&self, nonce: &str, seen: &Version) -> Result<Written, BackendError> {
        let first = self.first.fence(nonce, seen).await?;
        both(first, self.second.fence(nonce, seen).await)
    }

    fn claims(&self) -> Vec<Claim> {
        let mut claims = self.first.claims();
        claims.extend(self.second.claims());
        claims
    }

    fn describe(&self, topic: Topic<'_>) -> Vec<EventText> {
        let mut texts = self.first.describe(topic);
        texts.extend(self.second.describe(topic));
        texts
    }
}
