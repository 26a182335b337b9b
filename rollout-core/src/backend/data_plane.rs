use crate::{
    Revision,
    traffic::{Settled, Version},
};
use alloc::{boxed::Box, sync::Arc};
use async_trait::async_trait;
use core::fmt;

/// Knows what the proxies have.
#[async_trait]
pub trait DataPlane: fmt::Debug + Send + Sync {
    /// Whether all proxies have these versions (contents, per object), and the endpoints of these revisions.
    async fn settled(&self, of: &Version, endpoints: &[Revision]) -> Settled;
}

/// A data plane that cannot be asked: always unknown, as of now.
///
/// The age of `Unknown` is what the driver fills in; this one never lets a dwell pass by itself.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to hold")]
pub struct NoDataPlane;

#[async_trait]
impl DataPlane for NoDataPlane {
    async fn settled(&self, _of: &Version, _endpoints: &[Revision]) -> Settled {
        Settled::UNKNOWN
    }
}

#[async_trait]
impl<D: DataPlane + ?Sized> DataPlane for Arc<D> {
    async fn settled(&self, of: &Version, endpoints: &[Revision]) -> Settled {
        (**self).settled(of, endpoints).await
    }
}
