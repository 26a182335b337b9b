//! A pure, deterministic canary state machine: from the spec, the stored status and an observation of the cluster, it
//! decides what should happen next.
//!
//! ```text
//!   Spec ───────┐                          ┌──► Status   stored first, by compare-and-swap
//!   Status ─────┤                          ├──► actions  Scale · Select · Route · Prune, in order
//!   Observed ───┼──►  reconcile  ──► Plan ─┼──► waiting  which guard, what it needs, what ends it
//!   now ────────┘                          ├──► wake     when to look again
//!                                          └──► events   what happened
//! ```
//!
//! [`reconcile`](reconcile()) never does I/O, never reads a clock, never panics, and never fails. It is level-triggered,
//! so calling it again is always harmless. [`Driver`] begins each turn and says when the next one is due, [`Turn`] gives
//! the order of work, and your loop carries it out.
//!
//! # The loop
//!
//! One turn observes, decides once, and carries the decision out:
//!
//! ```
//! use core::time::Duration;
//! use rollout_core::{Driver, Next, Observed, Outcome, Resume, Spec, Status, Strategy, Time};
//!
//! fn turn(driver: &mut Driver, spec: &Spec, status: &mut Status, now: Time, elapsed: Duration) -> Resume {
//!     let mut observed = Observed::new().revisions([]); // Read the cluster here. This one has no pods.
//!     driver.see(&mut observed, elapsed);
//!     let mut turn = driver.begin(spec, status, &observed, now);
//!     loop {
//!         match turn.next() {
//!             Next::Fence(_nonce) => {}                       // Write the nonce into every object.
//!             Next::Store(new) => status.clone_from(new),     // By compare-and-swap.
//!             Next::VerifyOwnership => {}                     // Is this process still in charge?
//!             Next::Act(_action) => {}                        // Pods, selectors, routes.
//!             Next::Publish(_events) => {}
//!             Next::Report => {}                              // Update counts and the like, for people.
//!             Next::Done => return driver.end(turn, elapsed), // When the next turn begins.
//!         }
//!         turn.done(Ok(Outcome::Changed)); // Or the failure.
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
//! - A plan writes selectors or routes, never both; it removes pods only if it writes neither.
//! - Before the canary's weight rises, enough of its pods are ready and available, and every proxy has its selectors and
//!   endpoints. Before a selector stops selecting pods, or pods are removed, every proxy has the routes that no longer
//!   need them.
//! - A revision gets a scale-down deadline before it goes to 0 pods; a revision with a deadline gets no requests.
//! - The status is stored before anything else is written. After a crash at any point, the next observation leads to a
//!   safe decision.
//! - Every wait reports what it waits for, since when, and what ends it.
//!
//! # Assumptions
//!
//! - Status and objects are written by compare-and-swap, on the versions that were observed.
//! - An observation is never older than the process's own last write.
//! - A part of the observation that could not be read is left unset; it is never passed as empty.
//! - `now` is the wall clock in UTC and may jump; `elapsed` only runs forward.
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | revision | one version of the pod template, identified by its hash |
//! | stable, canary | the revision that serves the users, and the one that the steps release |
//! | step, pause | one entry of the strategy, and a step that waits |
//! | weight | the canary's share of the requests, out of 100 unless the strategy declares another total |
//! | destination | what a route names: stable or canary, not the revision behind it |
//! | selectors, routes | which pods are behind a destination, and how requests are split between destinations |
//! | managed route | a route that the engine adds in front of the user's own |
//! | backend | the code that reads and writes one traffic manager's objects |
//! | guard | a condition that must hold before something is written |
//! | settled | every proxy is known to have what was written; where the data plane cannot tell, after a grace period |
//! | unavailable | of a revision: without a ready pod (of a pod: as in Kubernetes) |
//! | scale-down deadline | the time from which a revision may go to 0 pods |
//! | fence | a nonce that a process writes into every object first: it changes their versions, so late writes fail |
//! | turn | one observation, one decision, and the work to carry it out |
//! | promote | to end the pause and move on, or (in full) to skip to the end |
//! | abort | to give up the update and return to stable |
//! | history, law | the record of one run, and a property that must hold in every history |
//!
//! # Where to look
//!
//! | question | see |
//! |---|---|
//! | what did the user ask for? | [`Strategy`], [`Step`], [`Spec`] |
//! | what survives a restart? | [`Status`] |
//! | how is the cluster described? | [`Observed`], [`traffic::Seen`] |
//! | how do I show a rollout to a person, in one sentence or one word? | [`headline`](headline()), [`Health`] |
//! | what happens next, and what is blocking progress? | [`reconcile`](reconcile()), [`Plan`], [`waiting`] |
//! | what does abort do? | [`apply`], [`command`] |
//! | why was a revision scaled down? | `goal` and `reconcile/scale_down.rs`, in the source |
//! | how is a plan carried out, and what is remembered? | [`Driver`], [`Turn`], `backend` (feature `backend`) |
//! | how is a manifest read? | `argo` (features `argo`, `yaml`) |
//! | how do I show untrusted text safely? | [`Escaped`] |
//! | how do I try a strategy, or test a backend of my own? | `sim` (feature `sim`), `testing` (feature `testing`) |
//!
//! # Features
//!
//! None by default: the bare core depends on serde and thiserror. `argo`: the wire form of Argo Rollouts. `yaml`: a
//! parser for hand-written YAML and JSON that knows the position of everything. `analysis`: conditions, runs and
//! templates of analyses. `backend`: objects, editors and the async traits. `schema`: JSON schemas of status and strategy. `sim`: the virtual world. `testing`: laws and histories.
#![cfg_attr(feature = "sim", doc = include_str!("sim/front_page.md"))]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod action;
pub mod analysis;
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
pub mod fleet;
mod goal;
mod headline;
mod health;
#[cfg(feature = "argo")]
mod nearest;
mod observed;
pub mod pace;
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

pub use action::Action;
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
pub use plan::{Plan, Store, Wake};
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
#[cfg(feature = "schema")]
#[doc(no_inline)]
pub use schemars;
#[cfg(any(feature = "argo", feature = "backend"))]
#[doc(no_inline)]
pub use serde_json;

#[cfg(feature = "_mutants")]
#[doc(hidden)]
pub use reconcile::guard;
