//! A pure, deterministic canary state machine.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "yaml", test))]
extern crate std;

#[cfg(feature = "argo")]
pub mod argo;
#[cfg(feature = "backend")]
pub mod backend;
mod command;
mod event;
pub mod goal;
mod observed;
mod plan;
mod range;
mod reconcile;
mod revision;
#[cfg(feature = "sim")]
pub mod sim;
mod spec;
mod status;
mod strategy;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
pub mod traffic;
mod turn;
mod waiting;

pub use command::{Answer, Command, CommandKind, Edit, Position, Proceed, Rejection, apply};
pub use event::Event;
pub use observed::{Observed, RevisionSeen};
pub use plan::{Action, Plan, Wake, WakeReason};
pub use range::Range;
pub use reconcile::reconcile;
pub use revision::Revision;
pub use spec::Spec;
pub use status::{AbortReason, Aborted, Progress, Status};
pub use strategy::{
    CanaryScale, Fenceposts, IntOrPercent, InvalidStrategy, Routing, Step, Strategy, StrategyBuilder,
    Threshold,
};
pub use time::Time;
pub use turn::{Failure, Fence, Next, Outcome, Turn};
pub use waiting::{Ending, EndsBy, Settling, WaitReason, Waiting};

#[cfg(feature = "_mutants")]
#[doc(hidden)]
pub use reconcile::guard;
