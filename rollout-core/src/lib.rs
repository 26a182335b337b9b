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
//! # The loop
//!
//! One turn observes, decides once, and carries that out:
//!
//! ```
//! use core::time::Duration;
//! use rollout_core::{Driver, Next, Observed, Outcome, Resume, Spec, Status, Strategy, Time};
//!
//! fn turn(driver: &mut Driver, spec: &Spec, status: &mut Status, now: Time, elapsed: Duration) -> Resume {
//!     let mut observed = Observed::new().revisions([]); // Read what is there.
//!     driver.see(&mut observed, elapsed);
//!     let mut turn = driver.begin(spec, status, &observed, now);
//!     loop {
//!         match turn.next() {
//!             Next::Fence(_nonce) => {}                       // Write the nonce into every object.
//!             Next::Store(new) => status.clone_from(new),     // By compare-and-swap.
//!             Next::VerifyOwnership => {}                     // Is this process still in charge?
//!             Next::Act(_action) => {}                        // Pods, selectors, routes.
//!             Next::Publish(_events) => {}
//!             Next::Report => {}                              // Counts and such, for people.
//!             Next::Done => return driver.end(turn, elapsed), // When the next turn begins.
//!         }
//!         turn.done(Ok(Outcome::Changed)); // Or what went wrong.
//!     }
//! }
//!
//! let spec = Spec::new(Strategy::builder().build()?, "v1".into()).replicas(1);
//! let (mut driver, mut status) = (Driver::new("the only process"), Status::default());
//! let resume = turn(&mut driver, &spec, &mut status, Time::from_secs(0), Duration::ZERO);
//! assert_eq!(resume, Resume::Now { live: true }, "the first turn fences off earlier processes");
//! # Ok::<(), rollout_core::InvalidStrategy>(())
//! ```
//!
//! # Guarantees
//!
//! - A plan writes selectors or routes, never both; pods are removed only in a plan that writes neither.
//! - Before a weight rises, enough pods of the canary are ready, and every proxy has its selectors and endpoints. Before a
//!   selector leaves pods, or pods are removed, every proxy has the routes.
//! - A revision gets a scale-down deadline before it goes to 0 pods; one that has a deadline gets no requests.
//! - The status is stored before anything else is written. After a crash at any point, the next observation leads to a safe
//!   decision.
//! - Every wait says what it waits for, since when, and what ends it.
//!
//! # Assumptions
//!
//! - Status and objects are written by compare-and-swap, on the versions that were observed.
//! - An observation is never older than the process's own last write.
//! - What could not be read is left unset, never empty.
//! - `now` is the wall clock in UTC and may jump; `elapsed` only runs forward.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | stable, canary | the revision that carries the users' requests, and the one that the steps are about |
//! | revision | one version of the pod template, by its hash |
//! | step, pause | what the strategy does next, and a step that waits |
//! | weight | the canary's share of the requests, out of 100 unless the strategy declares another total |
//! | destination | what a route names: stable or canary, not the revision behind it |
//! | selectors, routes | which pods are behind a destination, and how requests are split between destinations |
//! | managed route | a route that the engine adds in front of the user's own |
//! | backend | what reads and writes one traffic manager's objects |
//! | settled | every proxy is known to have what was written; where nobody can tell, a grace period stands in |
//! | unavailable | without a ready pod |
//! | scale-down deadline | the time from which a revision may go to 0 pods |
//! | fence | a nonce in every object, so that late writes of an earlier process fail |
//! | turn | one observation, one decision, and carrying it out |
//! | promote, abort | going on to the next step or to the end, and giving the update up |
//!
//! # Where to look
//!
//! | question | see |
//! |---|---|
//! | what did the user ask for? | [`Strategy`], [`Step`], [`Spec`] |
//! | what survives a restart? | [`Status`] |
//! | what is there? | [`Observed`], [`traffic::Seen`] |
//! | how do I show it to a person, in one sentence, or one word? | [`headline`](headline()), [`Health`] |
//! | what happens next, and why not more? | [`reconcile`](reconcile()), [`Plan`], [`waiting`] |
//! | what does abort do? | [`apply`], [`command`] |
//! | who scaled that down? | `goal` and `reconcile/scale_down.rs`, in the source |
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
pub mod command;
pub mod conformance;
#[cfg(any(feature = "argo", feature = "backend"))]
mod dns_name;
mod driver;
mod escaped;
mod event;
#[cfg(any(feature = "argo", feature = "backend"))]
mod finding;
mod goal;
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
pub mod waiting;

pub use command::{Answer, Command, CommandKind, apply};
#[cfg(any(feature = "argo", feature = "backend"))]
pub use dns_name::{DnsName, NotADnsName};
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
    CanaryScale, IntOrPercent, InvalidStrategy, Routing, Step, Strategy, StrategyBuilder, Threshold,
};
pub use time::Time;
pub use waiting::Waiting;

// Crates that public signatures mention, so that dependents can use them in the matching version.
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
