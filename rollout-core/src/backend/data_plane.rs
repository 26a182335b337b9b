use crate::{
    Revision,
    traffic::{Settled, Version},
};
use alloc::{boxed::Box, sync::Arc};
use async_trait::async_trait;
use core::{fmt, time::Duration};

/// Reports which configuration the proxies have, as seen by one rollout.
///
/// Answers come at once, from what is known: no call waits for the proxies. (The methods are async because they may
/// have to look up what they are asked about, such as the addresses of pods.)
///
/// ```
/// use rollout_core::async_trait::async_trait;
/// use rollout_core::backend::{DataPlane, ready};
/// use rollout_core::{Revision, Time, traffic::{ObjectRef, ObjectVersion, Settled, Version}};
///
/// /// One proxy, which has every object up to this generation.
/// #[derive(Debug)]
/// struct OneProxy(u64);
///
/// #[async_trait]
/// impl DataPlane for OneProxy {
///     async fn objects(&self, of: &Version) -> Settled {
///         if of.objects().iter().all(|(_, version)| version.content <= self.0) {
///             return Settled::Yes;
///         }
///         Settled::NotYet { since: Time::from_secs(0), behind: vec!["web-0.shop".into()] }
///     }
///     async fn endpoints(&self, _: &Revision) -> Settled {
///         Settled::UNKNOWN
///     }
/// }
///
/// let web = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "web");
/// let written = Version::from_iter([(web, ObjectVersion { write: "811".into(), content: 5 })]);
/// assert!(matches!(ready(OneProxy(4).objects(&written))?, Settled::NotYet { .. }));
/// assert_eq!(ready(OneProxy(5).objects(&written))?, Settled::Yes);
/// # Ok::<(), rollout_core::backend::NotReady>(())
/// ```
#[async_trait]
pub trait DataPlane: fmt::Debug + Send + Sync {
    /// Returns whether all proxies have these versions (the content of each object).
    async fn objects(&self, of: &Version) -> Settled;

    /// Returns whether all proxies have the endpoints of this revision's ready pods.
    async fn endpoints(&self, of: &Revision) -> Settled;

    /// Returns how long until every proxy is known that may still follow earlier writes
    /// ([`Seen::proxies_known_in`](crate::traffic::Seen::proxies_known_in)).
    async fn proxies_known_in(&self) -> Duration {
        Duration::ZERO
    }
}

/// A data plane that cannot be asked: always unknown, as of now.
///
/// The driver fills in the age of `Unknown`; this type alone never lets a grace period pass.
///
/// ```
/// use rollout_core::backend::{DataPlane, NoDataPlane, ready};
/// use rollout_core::traffic::Settled;
/// assert_eq!(ready(NoDataPlane.endpoints(&"v2".into())), Ok(Settled::UNKNOWN));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no fields")]
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
