//! A virtual world that simulates a whole rollout with faults, in microseconds.
//!
//! [`Sim`] builds a [`World`]; the world lets time pass. Its [`Truth`] is the real state, never the controller's
//! belief. The simulated process decides through [`Turn`](crate::Turn), like a driver on a cluster.
//!
//! | what | how |
//! |---|---|
//! | an operator or user | [`World::command`], [`World::set_spec`], [`World::update_to`], [`World::reapply`] |
//! | time | [`World::run_for`], [`World::run_until`], [`World::run_to_rest`], [`World::step`] |
//! | pods | [`World::lose_pods`], [`World::unready_pods`], [`World::break_pods`], [`World::pods_never_ready`] |
//! | proxies | [`World::proxy_lag`], [`World::freeze`], [`World::freeze_proxy`], [`World::thaw`] |
//! | one write | [`World::fault`] with a [`Fault`] |
//! | reads | [`World::read_lag`], [`World::counts_lag`], [`World::reads_fail`] |
//! | the process | [`World::crash`], [`World::old_process_decides`], [`World::clock_offset`] |
//! | results | [`World::summary`], [`World::truth`], [`World::waiting`], a [`Watcher`] |
//!
//! Each proxy has its own copy of every traffic object and of every revision's endpoints. A copy changes only when a
//! delivery arrives, so changes to different objects overtake each other; within one object, nothing goes back.
//! [`Summary::requests`] is the outcome of requests: the share of all requests, over all proxies and their time, that
//! were sent to no ready pod. Of the requests at an object with routes, a tenth matches a header route if there is one,
//! and a tenth takes an unweighed route, for each destination that has one; copies (mirrored requests) do not count.
//!
//! ```
//! use core::time::Duration;
//! use rollout_core::sim::{Fault, Health, Sim};
//! use rollout_core::{Spec, Step, Strategy};
//!
//! let strategy = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build()?;
//! let mut world = Sim::new(Spec::new(strategy, "v1".into())).build();
//! world.run_to_rest(Duration::from_secs(60))?;
//!
//! // The second write of the update takes effect, but no process receives the answer; then the process dies.
//! world.fault(1, Fault::Ambiguous { took_effect: true });
//! world.fault(4, Fault::Crash { before: false, late: Some(Duration::from_secs(90)) });
//! world.update_to("v2");
//! assert!(world.run_to_rest(Duration::from_secs(300))?);
//! let summary = world.summary();
//! assert_eq!((summary.health, summary.crashes, summary.requests.unserved), (Health::Healthy, 1, 0));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod builder;
mod delay;
mod faults;
mod links;
mod mesh;
mod pods;
mod process;
mod proxies;
mod queue;
mod requests;
mod runs;
mod settings;
mod shares;
mod summary;
mod truth;
mod user;
mod watcher;
mod world;

pub use crate::Health;
pub use builder::Sim;
pub use delay::Delay;
pub use faults::Fault;
pub use links::{Links, News};
pub use mesh::{CoreMesh, Mesh, MeshResult, MeshStore, MeshWrite, ObjectMesh, SharedObjects};
pub use requests::UnservedRequests;
pub use runs::{Metrics, SimulatedRun};
pub use settings::ReadKind;
pub use shares::Share;
pub use summary::Summary;
pub use truth::{Content, Pod, Proxy, ProxyEndpoints, SimulatedWorkload, TrafficObject, Truth};
pub use watcher::{Moment, Watcher, What, Writer};
pub use world::{Stuck, World};
