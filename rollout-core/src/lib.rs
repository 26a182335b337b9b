//! A pure, deterministic canary state machine: it reads what the user wants and what is there, and says what
//! should happen next.
//!
//! ```text
//!   Spec ───────┐                          ┌──► Status   stored first, by compare-and-swap
//!   Status ─────┤                          ├──► actions  Scale · Select · Route · Prune, in order
//!   Observed ───┼──►  reconcile  ──► Plan ─┼──► waiting  which guard, what it needs, what ends it
//!   now ────────┘                          ├──► wake     when to look again
//!                                          └──► events   what happened
//! ```
//!
//! It never does I/O, never reads a clock, never panics, and never fails: it is level-triggered, so calling
//! it again is always harmless. [`Driver`] begins each turn and says when the next one is due, [`Turn`] gives the order of
//! work, and your loop carries it out.
//!
//! **Two layers.** *Selectors* say which pods are behind a destination, *routes* say how requests are split;
//! they are written by different actions, and a plan writes at most one of them. **Two gates.** *Up*: before
//! a weight rises, the pods are enough and every proxy has selectors and endpoints. *Down*: before a
//! selector leaves pods, or pods are removed, every proxy has the routes. **One deadline.** Before a
//! revision is scaled to 0, its workload gets a deadline: the time from which it may be. Only a scheduled revision goes to 0 pods,
//! and a scheduled revision gets no traffic.
//!
//! # Where to look
//!
//! | question | see |
//! |---|---|
//! | what did the user ask for? | [`Strategy`], [`Step`], [`Spec`] |
//! | what survives a restart? | [`Status`] |
//! | what is there? | [`Observed`], [`traffic::Seen`] |
//! | how do I show it to a person, in one sentence, or one word? | [`headline`](headline()), [`Health`] |
//! | what happens next, and why not more? | [`reconcile`](reconcile()), [`Plan`], [`Waiting`] |
//! | what does abort do? | [`apply`], [`Command`] |
//! | who scaled that down? | [`goal`], and `reconcile/scale_down.rs` |
//! | how is it carried out, and what does a process remember? | [`Driver`], [`Turn`], and `backend` (feature `backend`) |
//! | what does a manifest say? | `argo` (features `argo`, `yaml`) |
//! | how is a text of others shown? | [`Escaped`] |
//! | how do I try it? | `sim` (feature `sim`), `testing` (feature `testing`) |
//!
//! # Features
//!
//! None by default: the bare core is serde and thiserror. `argo`: the wire form of Argo Rollouts. `yaml`:
//! located parsing of what a person wrote. `backend`: objects, editors and the
//! async traits. `sim`: the virtual world. `testing`: laws and histories.
#![cfg_attr(feature = "sim", doc = include_str!("sim/front_page.md"))]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "argo")]
pub mod argo;
#[cfg(feature = "backend")]
pub mod backend;
mod command;
mod driver;
mod escaped;
mod event;
#[cfg(any(feature = "argo", feature = "backend"))]
mod finding;
pub mod goal;
mod headline;
mod health;
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
mod waiting;

pub use command::{Answer, Command, CommandKind, Edit, Position, Proceed, Rejection, UnknownCommand, apply};
pub use driver::{Driver, Failure, Next, Outcome, Resume, Rival, Turn};
pub use escaped::Escaped;
pub use event::Event;
#[cfg(any(feature = "argo", feature = "backend"))]
pub use finding::{Finding, Located, Place, Severity};
pub use headline::headline;
pub use health::Health;
pub use observed::{Gone, Observed, RevisionSeen};
pub use plan::{Action, Plan, Store, Wake, WakeReason};
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
pub use waiting::{Ending, EndsBy, Settling, WaitReason, Waiting};

// What public signatures name of other crates: who depends on this one alone can name it, in the version that fits.
#[cfg(feature = "backend")]
#[doc(no_inline)]
pub use async_trait;
#[cfg(feature = "testing")]
#[doc(no_inline)]
pub use proptest;
#[cfg(any(feature = "argo", feature = "backend"))]
#[doc(no_inline)]
pub use serde_json;

#[cfg(feature = "_mutants")]
#[doc(hidden)]
pub use reconcile::guard;
