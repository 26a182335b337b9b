//! Observes and carries out on a Kubernetes API server what [`rollout_core`] decides.
//!
//! - feature `store`: [`KubeStore`], a [`rollout_core::backend::ObjectStore`] over a [`kube::Client`] alone, for
//!   those who have a controller of their own.
//! - feature `controller`: [`Controller`], for the `Rollout` objects that exist in clusters today.
//!
//! ```text
//! watches ─► cache ─► rollout::observe ─► rollout_core::Turn ─► rollout::act ─► API server
//!                       (replica_set)      decides, orders       (replica_set, backends)
//! ```
//!
//! It knows no traffic manager: a program hands one in with [`ControllerBuilder::traffic`].

// Only there to choose the version of the API that `kube` speaks.
use k8s_openapi as _;

#[cfg(feature = "controller")]
mod cache;
#[cfg(feature = "controller")]
mod control_plane;
#[cfg(feature = "controller")]
mod controller;
#[cfg(feature = "controller")]
mod replica_set;
#[cfg(feature = "controller")]
mod rollout;
#[cfg(feature = "store")]
mod store;

#[cfg(feature = "controller")]
pub use control_plane::ControlPlane;
#[cfg(feature = "controller")]
pub use controller::{Controller, ControllerBuilder, RunError};
#[cfg(feature = "controller")]
pub use rollout::InvalidTraffic;
#[cfg(feature = "store")]
pub use store::{Kind, KubeStore};
