//! The virtual world: a whole rollout with faults, in microseconds.

mod truth;

pub use truth::{
    Content, Moment, Pod, Proxy, ProxyEndpoints, TrafficObject, Truth, Watcher, What, Workload, Writer,
};
