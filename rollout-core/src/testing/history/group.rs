use super::{History, play::mesh, player::Player};
use crate::{
    sim::{CoreMesh, SharedObjects},
    testing::laws::Laws,
};
use alloc::vec::Vec;

/// Rollouts whose histories take place together because they share objects.
///
/// See [`play_together`] for an example.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a hand-written regression test gives all of it")]
pub struct Group {
    /// The history of each Rollout.
    pub histories: Vec<History>,
    /// Whether their routes are in the same objects.
    pub shares_routes: bool,
    /// Whether their subsets are in the same object.
    pub shares_selectors: bool,
}

/// Plays a group, each Rollout under its own laws, up to the first violation.
///
/// A write of one Rollout to a shared object is a new version of it for all of them: their next writes conflict unless
/// they have read it, and their proxies get it again. A change that a user makes to a shared object affects all of
/// them.
///
/// ```
/// use rollout_core::testing::{history::{groups, play_together}, laws::{Laws, all}};
/// let groups = groups();
/// let group = (0..100).find_map(|number| groups.draw(number).filter(|group| group.histories.len() > 1)).unwrap();
/// let played = play_together(&group, || Laws::new(all()));
/// assert_eq!(played.len(), group.histories.len());
/// assert!(played.iter().all(|laws| laws.violation().is_none()));
/// ```
#[must_use]
pub fn play_together(group: &Group, mut laws: impl FnMut() -> Laws) -> Vec<Laws> {
    let shared = SharedObjects::new(group.shares_routes, group.shares_selectors);
    let mut players = Vec::with_capacity(group.histories.len());
    let mut over = Vec::new();
    for history in &group.histories {
        match Player::new(history, mesh(history).sharing(&shared), laws()) {
            Ok(player) => players.push(player),
            Err(laws) => over.push(laws),
        }
    }
    while next(&mut players, &shared) {}
    over.extend(players.into_iter().map(Player::end));
    over
}

/// Processes the next event of any Rollout; returns whether there was one.
fn next(players: &mut [Player<'_, CoreMesh>], shared: &SharedObjects) -> bool {
    let due = players.iter().enumerate().filter_map(|(index, player)| Some((player.next_at()?, index)));
    let Some((at, first)) = due.min() else { return false };
    let before = shared.writes();
    if let Some(player) = players.get_mut(first) {
        player.step();
        if player.is_stopped() {
            return false;
        }
    }
    if shared.writes() != before {
        for (_, player) in players.iter_mut().enumerate().filter(|(index, _)| *index != first) {
            player.look_again(at);
        }
    }
    true
}
