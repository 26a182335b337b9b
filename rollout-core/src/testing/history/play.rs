use super::{History, player::Player};
use crate::{
    sim::{CoreMesh, Mesh},
    testing::laws::{Laws, all},
    traffic::Destination,
};

/// Plays a history under all laws, up to the first violation.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::testing::history::{Happening, Histories, Target, play};
/// let mut history = Histories::new().draw(7).unwrap();
/// history.deployed = true;
/// history.happenings = vec![
///     (Duration::from_secs(1), Happening::Update(2)),
///     (Duration::from_secs(20), Happening::LosePods(Target::Stable, 1)),
/// ];
/// assert_eq!(play(&history).violation(), None);
/// ```
#[must_use]
pub fn play(history: &History) -> Laws {
    play_under(history, Laws::new(all()))
}

/// Plays a history under these laws, with the core's own traffic manager.
///
/// ```
/// use rollout_core::testing::{history::{Histories, play_under}, laws::{Laws, all}};
/// let history = Histories::new().draw(7).unwrap();
/// let laws = play_under(&history, Laws::new(all()).without(&["eventually_stable"]));
/// assert!(laws.findings().all(|(name, _)| name != "eventually_stable"));
/// ```
#[must_use]
pub fn play_under(history: &History, laws: Laws) -> Laws {
    play_over(history, mesh(history), laws)
}

/// Builds the core's own traffic manager with the objects that a history asks for.
pub(in crate::testing) fn mesh(history: &History) -> CoreMesh {
    let recipe = &history.recipe;
    match (recipe.routed, recipe.has_services()) {
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
///
/// ```
/// use rollout_core::testing::{history::{Histories, play_over}, laws::{Laws, all}};
/// use rollout_core::sim::CoreMesh;
/// let history = Histories::new().draw(7).unwrap();
/// let mesh = if history.recipe.routed { CoreMesh::new() } else { CoreMesh::none() };
/// assert_eq!(play_over(&history, mesh, Laws::new(all())).violation(), None);
/// ```
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
