//! `pingPong`: the world names the destinations by their roles, so that a swap of the roles renames them everywhere at
//! once. Nothing is written, and no proxy gets anything.

use crate::{
    Status,
    sim::{Content, Watcher, mesh::Mesh, world::World},
    traffic::StablePingPong,
};

/// Returns which Service is stable by this status.
pub(super) fn roles(status: &Status) -> StablePingPong {
    status.stable_ping_pong.unwrap_or_default()
}

impl<M: Mesh, W: Watcher> World<M, W> {
    /// Renames the destinations if the stored status swapped their roles.
    pub(super) fn follow_roles(&mut self, before: StablePingPong) {
        if roles(&self.truth.status) == before {
            return;
        }
        let total = self.truth.spec.strategy.max_weight();
        let copies = self.truth.proxies.iter_mut().flat_map(|proxy| &mut proxy.objects);
        let sent = self.pipes.iter_mut().flat_map(crate::sim::proxies::Pipe::contents);
        let objects = self.truth.traffic.iter_mut().map(|object| &mut object.content);
        for content in objects.chain(copies.map(|(_, content)| content)).chain(sent) {
            content.swap_roles(total);
        }
        self.mesh.swap_roles(total);
    }
}

impl Content {
    /// Names the two destinations the other way round. Requests that come by other ways always come to stable.
    pub(in crate::sim) fn swap_roles(&mut self, total: u32) {
        match self {
            Self::Selectors { stable, canary } => core::mem::swap(stable, canary),
            Self::Routes { routes, .. } => routes.swap_roles(total),
        }
    }
}
