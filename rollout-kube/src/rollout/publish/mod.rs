//! Publishes Kubernetes events.

mod kube_event;
mod outbox;
mod publisher;

pub use kube_event::KubeEvent;
pub use publisher::Publisher;
