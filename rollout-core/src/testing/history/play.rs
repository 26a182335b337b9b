use super::{History, player::Player};
use crate::{
    sim::{CoreMesh, Mesh},
    testing::laws::{Laws, all},
    traffic::Destination,
};

/// Plays a history under all laws, up to the first violation.
#[must_use]
pub fn play(history: &History) -> Laws {
    play_under(history, Laws::new(all()))
}

/// Plays a history under these laws, with the core's own traffic manager.
#[must_use]
pub fn play_under(history: &History, laws: Laws) -> Laws {
    play_over(history, mesh(history), laws)
}

/// Builds the core's own traffic manager with the objects that a history asks for.
pub(super) fn mesh(history: &History) -> CoreMesh {
    let recipe = &history.recipe;
    match (recipe.routed, recipe.services) {
        (false, _) => {
            [(recipe.stable_service, Destination::Stable), (recipe.canary_service, Destination::Canary)]
                .into_iter()
                .filter(|(there, _)| *there)
                .fold(CoreMesh::none(), |mesh, (_, destination)| mesh.service(destination))
        }
        (true, false) => CoreMesh::new().routes(recipe.objects.into()),
        (true, true) => CoreMesh::new().routes(recipe.objects.into()).services(),
    }
}

/// Plays a history under `laws` with another traffic manager, for example one made of real objects.
#[must_use]
pub fn play_over<M: Mesh>(history: &History, mesh: M, laws: Laws) -> Laws {
    let mut player = match Player::new(history, mesh, laws) {
        Ok(player) => player,
        Err(laws) => return laws,
    };
    while !player.is_over() {
        player.step();
    }
    player.end()
}
