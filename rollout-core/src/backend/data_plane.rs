use crate::{
    Revision,
    traffic::{Settled, Version},
};
use alloc::{boxed::Box, sync::Arc};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// Knows what the proxies have, as one rollout sees it.
///
/// An answer is given at once, from what is known: a question never waits for the proxies. (The methods are async
/// because what they ask about may have to be looked up, such as the addresses of pods.)
#[async_trait]
pub trait DataPlane: fmt::Debug + Send + Sync {
    /// Whether all proxies have these versions (contents, per object).
    async fn objects(&self, of: &Version) -> Settled;

    /// Whether all proxies have the endpoints of this revision's ready pods.
    async fn endpoints(&self, of: &Revision) -> Settled;

    /// In how long every proxy is known that may still do what was written earlier
    /// ([`Seen::proxies_known_in`](crate::traffic::Seen::proxies_known_in)).
    async fn proxies_known_in(&self) -> Duration {
        Duration::ZERO
    }
}

/// A data plane that cannot be asked: always unknown, as of now.
///
/// The age of `Unknown` is what the driver fills in; this one never lets a grace period pass by itself.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to hold")]
pub struct NoDataPlane;

#[async_trait]
impl DataPlane for NoDataPlane {
    async fn objects(&self, _of: &Version) -> Settled {
        Settled::UNKNOWN
    }

    async fn endpoints(&self, _of: &Revision) -> Settled {
        Settled::UNKNOWN
    }
}

#[async_trait]
impl<D: DataPlane + ?Sized> DataPlane for Arc<D> {
    async fn objects(&self, of: &Version) -> Settled {
        (**self).objects(of).await
    }

    async fn endpoints(&self, of: &Revision) -> Settled {
        (**self).endpoints(of).await
    }

    async fn proxies_known_in(&self) -> Duration {
        (**self).proxies_known_in().await
    }
}
