//! Simulated traffic managers: plain values ([`CoreMesh`]), or real objects behind a backend.

mod contract;
mod core_mesh;
mod core_write;
mod mesh_store;
mod object_mesh;
mod shared;

pub use contract::{Mesh, MeshResult, MeshWrite};
pub use core_mesh::CoreMesh;
pub use mesh_store::MeshStore;
pub use object_mesh::ObjectMesh;
pub use shared::SharedObjects;
