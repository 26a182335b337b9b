//! Observes a Kubernetes API server and carries out the decisions of [`rollout_core`] on it.
//!
//! - Feature `store`, for your own controller, needs only a [`kube::Client`]: [`KubeStore`] implements
//!   [`rollout_core::backend::ObjectStore`], and [`ReplicaSets`] implements [`rollout_core::backend::Workloads`].
//!   [`read_failed`] and [`write_failed`] classify the errors of `kube`. (Publishing events needs the feature
//!   `controller`: [`Publisher`].)
//! - Feature `controller`: [`Controller`] drives the `Rollout` objects that exist in clusters today.
//! - Feature `analysis`: the controller also runs `AnalysisRun` objects, and asks metric providers for them.
//!
//! ```text
//! watches ─► cache ─► rollout::observe ─► rollout_core::Turn ─► rollout::act ─► API server
//!                       (replica_set)      decides, orders       (replica_set, backends)
//! ```
//!
//! # Commands
//!
//! The controller understands the status patches of the kubectl plugin and of Argo CD. To get an answer, write the
//! command as an annotation of the Rollout, with the position that you were looking at (`status.currentPodHash`
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
//! The annotation `rollout-core/receipt` holds the answer: `accepted`, or `rejected` with `why` (the rollout has moved
//! on, there is no such command, …). The controller carries out a command at most once, even if it crashes halfway or
//! if somebody applies a manifest that contains the command again: the status remembers the last sixteen commands by
//! their `id`, an optional text of up to 64 bytes beside `kind`. Without an `id`, the same kind at the same position
//! is the same command. The controller never removes the command annotation.
//!
//! This crate contains no traffic manager. A program supplies one through [`ControllerBuilder::traffic`].

// A dependency only to choose the API version that `kube` uses.
use k8s_openapi as _;

#[cfg(feature = "analysis")]
mod analysis;
#[cfg(feature = "controller")]
mod cache;
#[cfg(feature = "controller")]
mod clusters;
#[cfg(feature = "controller")]
mod control_plane;
#[cfg(feature = "controller")]
mod controller;
#[cfg(feature = "store")]
#[cfg_attr(not(feature = "controller"), expect(dead_code, reason = "the cache uses more of it"))]
mod entry;
#[cfg(all(feature = "store", not(feature = "_mutants")))]
#[cfg_attr(not(feature = "controller"), expect(dead_code, reason = "the controller has more of them"))]
mod guard;
#[cfg(feature = "_mutants")]
pub mod guard;
#[cfg(feature = "store")]
#[cfg_attr(not(feature = "controller"), expect(dead_code, reason = "the controller uses more of it"))]
mod replica_set;
#[cfg(feature = "controller")]
mod rollout;
#[cfg(feature = "controller")]
mod runs;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "store")]
mod text;

#[cfg(feature = "analysis")]
pub use analysis::Analysis;
#[cfg(feature = "controller")]
pub use clusters::Clusters;
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
