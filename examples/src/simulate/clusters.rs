//! Clusters that release together: the links between their worlds, and what happens to these.

use super::{
    args::{Args, Clusters},
    play::Play,
};
use rollout_core::{
    Time,
    fleet::{ClusterName, Policy, Progress},
    sim::{Links, ReadKind},
};
use std::time::Duration;

/// The part of one play in a release of several clusters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// The cluster.
    pub(crate) cluster: ClusterName,
    /// What the Rollout is called in all of them.
    pub(crate) rollout: String,
}

/// The clusters of one Rollout: which plays are theirs, and how they read each other.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// The places of the plays in their group, one for each cluster.
    plays: Vec<usize>,
    links: Links,
    /// What happens to the links and to the clusters, in order.
    agenda: Vec<(Duration, Trouble)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Cut(usize, usize),
    Mend(usize, usize),
    Down(usize),
    Up(usize),
}

impl Fleet {
    /// The clusters of one Rollout, whose plays are at these places.
    pub(crate) fn new(policy: &Policy, plays: Vec<usize>, args: &Clusters) -> Self {
        let names: Vec<ClusterName> = policy.clusters().cloned().collect();
        let place = |name: &ClusterName| names.iter().position(|other| other == name);
        let mut agenda = Vec::new();
        for cut in &args.cut {
            if let [Some(one), Some(other)] = cut.between.each_ref().map(place) {
                agenda.extend([(cut.from, Trouble::Cut(one, other)), (cut.to, Trouble::Mend(one, other))]);
            }
        }
        for down in &args.cluster_down {
            if let Some(one) = place(&down.cluster) {
                agenda.extend([(down.from, Trouble::Down(one)), (down.to, Trouble::Up(one))]);
            }
        }
        agenda.sort_by_key(|(at, _)| *at);
        Self { plays, links: Links::new(names, args.news_lag), agenda }
    }

    /// Each world becomes that of one cluster.
    pub(crate) fn begin(&mut self, plays: &mut [Play<'_>]) {
        let names = self.links.names().to_vec();
        for (place, name) in self.plays.iter().zip(names) {
            if let Some(play) = plays.get_mut(*place) {
                play.world.join(name);
            }
        }
    }

    /// When news arrives, or something happens to a link, at the latest at `end`.
    pub(crate) fn next_at(&self, plays: &[Play<'_>], started: bool) -> Option<Time> {
        let clock = self.plays.first().and_then(|place| plays.get(*place)).map(|play| play.clock)?;
        let trouble = self.agenda.first().filter(|_| started).map(|(at, _)| clock.after(*at));
        trouble.into_iter().chain(self.links.next_at()).min()
    }

    /// Lets what is due at `now` happen.
    pub(crate) fn step(&mut self, plays: &mut [Play<'_>], now: Time, started: bool) {
        let clock = self.plays.first().and_then(|place| plays.get(*place)).map(|play| play.clock);
        while let (Some(clock), true) = (clock, started)
            && let Some((_, trouble)) = self.agenda.first().copied().filter(|(at, _)| clock.after(*at) <= now)
        {
            self.agenda.remove(0);
            self.happen(plays, trouble, now);
        }
        for news in self.links.deliver(now) {
            let from = self.links.names().get(news.from).cloned();
            let to = self.plays.get(news.to).and_then(|place| plays.get_mut(*place));
            if let (Some(from), Some(play)) = (from, to) {
                // Nothing of its own is due before.
                let _ = play.world.run_until(now);
                play.world.hear(from, news.reading);
            }
        }
    }

    /// Tells the others how far a cluster is, if that is new.
    pub(crate) fn tell(&mut self, plays: &[Play<'_>], place: usize) {
        let Some(member) = self.plays.iter().position(|of| *of == place) else { return };
        let Some(play) = plays.get(place) else { return };
        let truth = play.world.truth();
        self.links.tell(member, Progress::of(&truth.spec, &truth.status).as_ref(), truth.now);
    }

    fn happen(&mut self, plays: &mut [Play<'_>], trouble: Trouble, now: Time) {
        let names = self.links.names();
        let name = |member: usize| names.get(member).map(ToString::to_string).unwrap_or_default();
        let (member, word) = match trouble {
            Trouble::Cut(one, other) => {
                (one, format!("{} and {} cannot read each other", name(one), name(other)))
            }
            Trouble::Mend(one, other) => {
                (one, format!("{} and {} can read each other again", name(one), name(other)))
            }
            Trouble::Down(one) => (one, format!("the API server of {} does not answer", name(one))),
            Trouble::Up(one) => (one, format!("the API server of {} answers again", name(one))),
        };
        let others: Vec<usize> = (0..names.len()).filter(|other| *other != member).collect();
        match trouble {
            Trouble::Cut(one, other) => self.links.cut(one, other, now),
            Trouble::Mend(one, other) => self.links.mend(one, other, now),
            Trouble::Down(_) => others.iter().for_each(|other| self.links.cut(member, *other, now)),
            Trouble::Up(_) => others.iter().for_each(|other| self.links.mend(member, *other, now)),
        }
        if let Some(play) = self.plays.get(member).and_then(|place| plays.get_mut(*place)) {
            let _ = play.world.run_until(now);
            play.note(super::happening::Kind::Fault(word));
            if matches!(trouble, Trouble::Down(_) | Trouble::Up(_)) {
                play.world.reads_fail(ReadKind::Rollout, matches!(trouble, Trouble::Down(_)));
            }
        }
    }
}

/// The clusters that the command line names must be those of some Rollout.
pub(crate) fn unknown<'a>(args: &'a Args, policies: &[&Policy]) -> Vec<&'a ClusterName> {
    let known = |name: &&ClusterName| policies.iter().any(|policy| policy.clusters().any(|one| one == *name));
    args.clusters.named().filter(|name| !known(name)).collect()
}
