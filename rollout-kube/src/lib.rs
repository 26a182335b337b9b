//! Observes and carries out on a Kubernetes API server what [`rollout_core`] decides.
//!
//! - feature `store`, for those who have a controller of their own, over a [`kube::Client`] alone: [`KubeStore`], a
//!   [`rollout_core::backend::ObjectStore`], and [`ReplicaSets`], which are [`rollout_core::backend::Workloads`].
//!   [`read_failed`] and [`write_failed`] say what an error of `kube` means. (Events come with the feature `controller`:
//!   [`Publisher`].)
//! - feature `controller`: [`Controller`], for the `Rollout` objects that exist in clusters today.
//!
//! ```text
//! watches ─► cache ─► rollout::observe ─► rollout_core::Turn ─► rollout::act ─► API server
//!                       (replica_set)      decides, orders       (replica_set, backends)
//! ```
//!
//! # Commands
//!
//! The kubectl plugin's and Argo CD's patches of the status are understood. Whoever wants an answer writes the
//! command as an annotation of the Rollout, with the position that they were looking at (`status.currentPodHash`
//! and `status.currentStepIndex`):
//!
//! ```sh
//! kubectl annotate --overwrite rollout web \
//!   'rollout-core/command={"kind":"promote","at":{"revision":"7cd8554c8","step":1}}'
//! kubectl get rollout web -o 'jsonpath={.metadata.annotations.rollout-core/receipt}'
//! # {"id":"promote 7cd8554c8 1","kind":"promote","at":{…},"answer":"accepted","time":"2026-01-31T12:00:00Z"}
//! ```
//!
//! `kind` is one of `promote`, `promote-full`, `skip`, `pause`, `resume`, `abort`, `retry`, `undo` and `proceed`.
//! The annotation `rollout-core/receipt` says what became of it: `accepted`, or `rejected` with `why` (the rollout
//! has moved on, there is no such command, …). A command is carried out at most once, also when the controller
//! dies in the middle or a folder that holds it is applied again: the last sixteen are remembered in the status
//! by their `id`, a text of up to 64 bytes that may be given beside `kind`; without one, the same kind at the
//! same position is the same command. The annotation stays where it is; the controller never removes it.
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
#[cfg(feature = "store")]
#[cfg_attr(not(feature = "controller"), expect(dead_code, reason = "the cache asks for more of it"))]
mod entry;
#[cfg(feature = "store")]
#[cfg_attr(not(feature = "controller"), expect(dead_code, reason = "the controller asks for more of it"))]
mod replica_set;
#[cfg(feature = "controller")]
mod rollout;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "store")]
mod text;

#[cfg(feature = "controller")]
pub use control_plane::{Address, ControlPlane, ControlPlaneAt, InvalidAddress};
#[cfg(feature = "controller")]
pub use controller::{Controller, ControllerBuilder, RunError};
#[cfg(feature = "store")]
pub use replica_set::{Names, ReplicaSets};
#[cfg(feature = "controller")]
pub use rollout::{KubeEvent, Publisher};
#[cfg(feature = "store")]
pub use store::{Kind, KubeStore, read_failed, write_failed};
