//! An object store over a Kubernetes client.

mod address;
mod answer;
#[cfg(feature = "controller")]
mod changes;
mod exact;
mod kind;
mod kube_store;
#[cfg(test)]
pub(crate) mod mock;
#[cfg(test)]
#[cfg(feature = "controller")]
mod odd;
mod received;
mod requests;

pub use kind::Kind;
pub use kube_store::KubeStore;
#[cfg(feature = "controller")]
pub(crate) use kube_store::{conditional, version_of};
pub(crate) use received::Received;
pub(crate) use requests::Requests;
