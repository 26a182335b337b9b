//! Observes and carries out on a Kubernetes API server what [`rollout_core`] decides.
//!
//! - feature `store`: [`KubeStore`], a [`rollout_core::backend::ObjectStore`] over a [`kube::Client`] alone, for
//!   those who have a controller of their own.
//! - feature `controller`: a whole controller for the `Rollout` objects that exist in clusters today.
//!
//! It knows no traffic manager: a program hands one in.

#[cfg(feature = "store")]
mod store;

#[cfg(feature = "store")]
pub use store::{Kind, KubeStore};
