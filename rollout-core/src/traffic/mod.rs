//! Traffic: destinations, the pods behind them (selectors), and the split of requests between them (routes). These are
//! two layers, written by different actions; a plan writes at most one of them.
//!
//! ```
//! use rollout_core::{Action, Revision};
//! use rollout_core::traffic::{ManagedChange, Routes, Selectors, Weight, WeightChange};
//! let canary = Some(Revision::from("v2").into());
//! let weight = WeightChange::To(Weight::new(5, 100));
//! let routes = Routes { weight, managed: ManagedChange::Keep, written_for: "v2".into() };
//! // First the pods behind the canary destination; in a later plan, requests that go there.
//! let layers = [Action::Select(Selectors { stable: None, canary }), Action::Route(routes)];
//! assert!(layers.iter().all(Action::is_traffic));
//! ```

mod by_destination;
mod managed;
mod ping_pong;
mod routes;
mod seen;
mod selectors;
mod settled;
mod version;
mod weight;

pub use by_destination::{ByDestination, Destination};
pub use managed::{ManagedRoute, RequestMatch, RouteMatch, StringMatch};
pub use ping_pong::StablePingPong;
pub use routes::{ManagedChange, Routes, WeightChange};
pub use seen::{ManagedSeen, RoutesSeen, Seen};
pub use selectors::{Selection, Selectors};
pub use settled::Settled;
#[cfg(feature = "backend")]
pub(crate) use version::fingerprint;
pub use version::{ObjectRef, ObjectVersion, Version};
pub use weight::Weight;
