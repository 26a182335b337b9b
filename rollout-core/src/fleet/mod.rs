//! Several clusters that release one application in step, without a hub.
//!
//! Each cluster keeps its own Rollout and its own controller. Each controller reads how far the others are
//! ([`Progress`]) and computes with one pure function, [`permit`], how far it may go itself. Nobody elects a leader, and
//! nobody writes to another cluster.
//!
//! Three ideas make that safe:
//!
//! - A permit rests on facts that never become false within one *attempt* of a release: "the pods for step 2 were ready in
//!   b". An old reading of such a fact can only hold a cluster back. A retry begins a new attempt.
//! - What people decide ([`Decision`]) is merged, and the order of merging does not matter: a later attempt wins, within a
//!   attempt an abort wins, and a pause that somebody passed stays passed.
//! - What cannot be read holds.
//!
//! | file | answers |
//! |---|---|
//! | `policy` | which clusters belong together, and how they go: [`Policy`] |
//! | `mark` | how far a cluster is: [`Mark`] |
//! | `member` | what a cluster stores about itself: [`Member`] |
//! | `progress` | what the others read: [`Progress`], [`Peers`] |
//! | `decision` | how decisions of people are merged: [`Decision`] |
//! | `permit` | how far a cluster may go: [`permit`] |
//! | `wait` | which cluster is waited for, and for what: [`ClusterWait`] |
//!
//! ```
//! use rollout_core::fleet::{ClusterName, Mark, Peers, Policy, Progress, permit};
//! use rollout_core::{Spec, Status, Step, Strategy, Time};
//! let names = ["a", "b"].map(|name| ClusterName::new(name).unwrap());
//! let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
//! let mut spec = Spec::new(strategy, "v2".into());
//! spec.fleet = Some(Policy::new([names.to_vec()]).into());
//! let mut status = Status::default();
//! (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
//! let here = Progress::of(&spec, &status).unwrap();
//! let policy = spec.fleet.as_deref().unwrap();
//!
//! let peers = Peers::new(names[0].clone());
//! let held = permit(policy, &here, &peers, Time::from_secs(0));
//! assert_eq!(held.up_to, Mark::Ready(0), "nothing is known about b: prepare pods, but route nothing to them");
//! assert!(held.waiting.unwrap().to_string().starts_with("waiting until cluster b has the pods for step 1 of 1"));
//!
//! let mut there = here.clone();
//! there.mark = Mark::Ready(0);
//! let next = permit(policy, &here, &peers.read(names[1].clone(), there), Time::from_secs(0));
//! assert_eq!(next.up_to, Mark::Routed(0), "b has the pods, too");
//! # Ok::<(), rollout_core::InvalidStrategy>(())
//! ```

mod decision;
mod mark;
mod member;
mod name;
mod permit;
mod policy;
mod progress;
mod wait;

pub use decision::{Attempt, Decision};
pub use mark::Mark;
pub use member::Member;
pub use name::{ClusterName, NotAClusterName};
pub use permit::{Permit, permit};
pub use policy::{Abort, Inside, Policy, PolicyMistake, Traffic, Unreachable};
pub use progress::{Peers, Progress, Reading, Release};
pub use wait::{ClusterSeen, ClusterWait, Need};

/// The annotation of a Rollout with its [`Policy`], as JSON. It is the same in every cluster.
pub const FLEET_ANNOTATION: &str = "rollout-core/fleet";
