use super::{Fleet, FleetLaws, LinkHappening, generate::names};
use crate::{
    Time,
    fleet::Progress,
    sim::{CoreMesh, Links},
    testing::{
        history::{play::mesh, player::Player},
        laws::{Laws, Violation, all},
    },
};
use alloc::{string::ToString, vec::Vec};
use core::time::Duration;

/// When the links begin to fail: the first deploys are over.
const LINKS_FAIL_AFTER: Duration = Duration::from_secs(60);

/// A fleet that was played.
///
/// See [`play_fleet`] for an example.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlayedFleet {
    /// The laws of each cluster alone.
    pub members: Vec<Laws>,
    /// The laws about all of them together.
    pub together: FleetLaws,
}

impl PlayedFleet {
    /// Returns the first violation that was found, if there was one.
    ///
    /// See [`play_fleet`] for an example.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.together.violation().or_else(|| self.members.iter().find_map(Laws::violation))
    }
}

/// Plays a fleet, up to the first violation of a law.
///
/// ```
/// use core::time::Duration;
/// use rollout_core::testing::{fleet::{fleets, play_fleet}, history::Happening};
/// let mut fleet = fleets().draw(3).unwrap();
/// for member in &mut fleet.members {
///     member.deployed = true;
///     member.happenings = vec![(Duration::from_secs(1), Happening::Update(2))];
/// }
/// assert_eq!(play_fleet(&fleet).violation(), None);
/// ```
#[must_use]
pub fn play_fleet(fleet: &Fleet) -> PlayedFleet {
    play(fleet, || Laws::new(all()))
}

/// Plays a fleet and records what happens in each cluster.
///
/// ```
/// use rollout_core::testing::fleet::{fleets, play_fleet_recording};
/// let played = play_fleet_recording(&fleets().draw(3).unwrap());
/// assert!(played.members.iter().all(|laws| laws.timeline().is_some()));
/// ```
#[must_use]
pub fn play_fleet_recording(fleet: &Fleet) -> PlayedFleet {
    play(fleet, || Laws::new(all()).recording())
}

fn play(fleet: &Fleet, mut laws: impl FnMut() -> Laws) -> PlayedFleet {
    let names = names(fleet.members.len());
    let mut players = Vec::with_capacity(names.len());
    let mut members = Vec::new();
    for (history, name) in fleet.members.iter().zip(&names) {
        match Player::new(history, mesh(history), laws()) {
            Ok(mut player) => {
                player.join(name, &fleet.policy);
                players.push(player);
            }
            Err(laws) => members.push(laws),
        }
    }
    let mut together = FleetLaws::new(fleet.policy.clone(), names.clone());
    if members.is_empty() {
        let start = players.first().map_or(Time::from_secs(0), |player| player.world().now());
        let links = Links::new(names, fleet.delay);
        let trouble = Trouble::new(fleet, start + LINKS_FAIL_AFTER);
        let mut play = Play { players, links, trouble, together, is_calm: false };
        while play.step() {}
        together = play.end();
        members = play.players.into_iter().map(Player::end).collect();
    }
    PlayedFleet { members, together }
}

struct Play<'f> {
    players: Vec<Player<'f, CoreMesh>>,
    links: Links,
    trouble: Trouble<'f>,
    together: FleetLaws,
    /// Whether all faults have ended, those of the links, too.
    is_calm: bool,
}

/// What is still to happen to the links.
struct Trouble<'f> {
    left: &'f [(Duration, LinkHappening)],
    at: Time,
}

impl<'f> Trouble<'f> {
    fn new(fleet: &'f Fleet, start: Time) -> Self {
        let first = fleet.links.first().map_or(Duration::ZERO, |(gap, _)| *gap);
        Self { left: &fleet.links, at: start + first }
    }

    fn next_at(&self) -> Option<Time> {
        (!self.left.is_empty()).then_some(self.at)
    }

    fn pop(&mut self) -> Option<LinkHappening> {
        let ((_, first), left) = self.left.split_first()?;
        self.left = left;
        if let Some((gap, _)) = left.first() {
            self.at = self.at + *gap;
        }
        Some(*first)
    }
}

impl Play<'_> {
    /// Processes the next event; returns whether there was one.
    fn step(&mut self) -> bool {
        let due =
            self.players.iter().enumerate().filter_map(|(index, player)| Some((player.next_at()?, index)));
        let member = due.min();
        let before = |other: Option<Time>| other.filter(|at| member.is_none_or(|(next, _)| *at <= next));
        if let Some(at) = before(self.trouble.next_at()).filter(|_| !self.is_calm) {
            if let Some(what) = self.trouble.pop() {
                self.happen(what, at);
            }
        } else if let Some(at) = before(self.links.next_at()) {
            self.deliver(at);
        } else if let Some((_, index)) = member {
            let Some(player) = self.players.get_mut(index) else { return false };
            player.step();
            let now = player.world().now();
            self.calm_down(now);
            self.tell(index, now);
        } else {
            return false;
        }
        self.together.violation().is_none() && !self.players.iter().any(Player::is_stopped)
    }

    /// Once every cluster's own faults have ended, those of the links end.
    fn calm_down(&mut self, now: Time) {
        if !self.is_calm && self.players.iter().all(Player::is_at_its_end) {
            self.is_calm = true;
            self.links.mend_all(now);
        }
    }

    fn tell(&mut self, index: usize, now: Time) {
        let Some(player) = self.players.get(index) else { return };
        let truth = player.world().truth();
        self.links.tell(index, Progress::of(&truth.spec, &truth.status).as_ref(), now);
        let truths: Vec<_> = self.players.iter().map(|player| player.world().truth()).collect();
        self.together.see(&truths, index, now);
    }

    fn deliver(&mut self, at: Time) {
        for news in self.links.deliver(at) {
            let Some(from) = self.links.names().get(news.from).cloned() else { continue };
            let Some(player) = self.players.get_mut(news.to) else { continue };
            self.together.hears(news.to, &from, &news.reading);
            player.hear(from, news.reading, at);
            self.tell(news.to, at);
        }
    }

    fn happen(&mut self, what: LinkHappening, now: Time) {
        let links = &mut self.links;
        match what {
            LinkHappening::Cut(one, other) => links.cut(one.into(), other.into(), now),
            LinkHappening::Mend(one, other) => links.mend(one.into(), other.into(), now),
            LinkHappening::Isolate(one) => {
                for other in (0..links.names().len()).filter(|other| *other != usize::from(one)) {
                    links.cut(one.into(), other, now);
                }
            }
            LinkHappening::MendAll => links.mend_all(now),
            LinkHappening::Lose(from, to) => links.lose(from.into(), to.into()),
            LinkHappening::GoBack(from, to) => links.go_back(from.into(), to.into(), now),
            LinkHappening::Delay(from, to, millis) => {
                links.delay(from.into(), to.into(), Duration::from_millis(millis.into()));
            }
        }
    }

    fn end(&mut self) -> FleetLaws {
        let stopped = self.players.iter().any(Player::is_stopped);
        if !stopped && self.is_calm {
            let truths: Vec<_> = self.players.iter().map(|player| player.world().truth()).collect();
            let waits: Vec<Vec<_>> =
                self.players.iter().map(|player| player.world().waiting().to_vec()).collect();
            self.together.end(&truths, &waits);
        } else if !stopped && self.together.violation().is_none() {
            self.together.broken("heals", "the faults never ended".to_string());
        }
        core::mem::replace(&mut self.together, FleetLaws::new(crate::fleet::Policy::new([]), Vec::new()))
    }
}
