//! The virtual world: a whole rollout with faults, in microseconds.

mod builder;
mod delay;
mod faults;
mod mesh;
mod pods;
mod process;
mod proxies;
mod queue;
mod requests;
mod settings;
mod summary;
mod truth;
mod user;
mod world;

pub use builder::Sim;
pub use delay::Delay;
pub use faults::Fault;
pub use mesh::{CoreMesh, Mesh, MeshStore, MeshWrite, MeshWritten, ObjectMesh};
pub use requests::DarkRequests;
pub use settings::Kind;
pub use summary::{Health, Summary};
pub use truth::{
    Content, Moment, Pod, Proxy, ProxyEndpoints, TrafficObject, Truth, Watcher, What, Workload, Writer,
};
pub use world::{Stuck, World};
