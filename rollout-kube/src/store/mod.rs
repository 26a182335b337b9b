//! An object store over a Kubernetes client.

mod address;
mod answer;
mod changes;
mod exact;
mod kind;
mod kube_store;
#[cfg(test)]
#[cfg(feature = "controller")]
mod malformed;
#[cfg(test)]
pub(crate) mod mock;
mod received;
mod requests;

#[cfg(feature = "analysis")]
pub(crate) use address::encode;
pub use answer::{read_failed, write_failed};
pub use kind::Kind;
pub use kube_store::KubeStore;
#[cfg(feature = "controller")]
pub(crate) use kube_store::conditional;
pub(crate) use kube_store::version_of;
pub(crate) use received::Received;
pub(crate) use requests::Requests;
