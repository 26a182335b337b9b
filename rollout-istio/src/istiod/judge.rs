//! Judges whether every proxy that counts has a state.

use super::{
    dump,
    proof::Seen,
    proxies::{Proxies, namespace},
    replica::{Connection, Replica},
    scope::is_exported,
    subject::Subject,
    watches::{Answer, Watch},
};
use rollout_core::backend::NoAnswer;
use std::{collections::BTreeMap, time::Duration};

/// The inputs of a judgement.
pub(super) struct Judge<'j> {
    pub(super) replicas: &'j BTreeMap<String, Replica>,
    /// The replicas that have never answered.
    pub(super) strangers: &'j BTreeMap<String, NoAnswer>,
    pub(super) proxies: &'j Proxies,
    pub(super) debounce: Duration,
    /// The namespaces whose proxies count like those of the Rollout's own.
    pub(super) trusted: &'j [String],
    /// The dumps that were read in this round.
    pub(super) read: dump::Which,
    pub(super) now: Duration,
}

impl Judge<'_> {
    pub(super) fn judge(&self, subject: &Subject, watch: &mut Watch) -> Answer {
        let mut answer = if self.replicas.is_empty() || !self.strangers.is_empty() {
            Answer::Unknown
        } else {
            Answer::Yes
        };
        for (name, replica) in self.replicas {
            answer = answer.and(self.at_replica((name, replica), subject, watch));
        }
        if watch.is_everywhere {
            return answer;
        }
        let missing = self.proxies.missing().filter(|(id, _)| self.counts(id, subject, watch));
        let mut missing: Vec<String> = missing.map(|(id, _)| id.to_owned()).collect();
        if self.now < self.proxies.all_known_at {
            missing.push("proxies that may still be connecting: istiod has just started".to_owned());
        }
        if !missing.is_empty() {
            return answer.and(Answer::NotYet(missing));
        }
        watch.is_everywhere = answer == Answer::Yes;
        answer
    }

    fn at_replica(
        &self,
        (name, replica): (&String, &Replica),
        subject: &Subject,
        watch: &mut Watch,
    ) -> Answer {
        if let Err(why) = replica.answers {
            // Its proxies still have what they had before.
            let why = match why {
                NoAnswer::TooLarge(_) => why.to_string(),
                NoAnswer::Closed | NoAnswer::Status(_) | NoAnswer::Silent | _ => "does not answer".to_owned(),
            };
            return if watch.is_everywhere {
                Answer::Yes
            } else {
                Answer::NotYet(vec![format!("{name} ({why})")])
            };
        }
        if watch.is_everywhere && matches!(subject, Subject::Object(_)) && watch.seen.contains_key(name) {
            return Answer::Yes;
        }
        let is_read = dump::which(subject).iter().zip(self.read).all(|(needs, has)| !needs || has);
        if is_read && !replica.dumps.has(subject, &watch.state) {
            watch.seen.remove(name);
            watch.is_everywhere = false;
        } else if is_read && !watch.seen.contains_key(name) {
            watch.seen.insert(name.clone(), Seen::now(replica));
        }
        let Some(seen) = watch.seen.get_mut(name) else {
            return Answer::NotYet(vec![format!("{name} (has not seen {subject})")]);
        };
        if seen.done && watch.is_everywhere {
            return Answer::Yes;
        }
        seen.done = seen.done || seen.is_pushed(replica, self.debounce);
        let (is_pushed, first) = (seen.done, seen.first_push());
        let is_behind = |proxy: &&Connection| !proxy.has(first) || self.proxies.is_arriving(proxy, self.now);
        let behind = replica.connections.iter().filter(is_behind);
        let behind = behind.filter(|proxy| self.counts(&proxy.id, subject, watch));
        let behind: Vec<String> = behind.map(|proxy| proxy.id.clone()).collect();
        if is_pushed && behind.is_empty() { Answer::Yes } else { Answer::NotYet(behind) }
    }

    /// Returns whether this proxy must have a state before the state counts as settled. Proxies of the Rollout's own
    /// namespace always must.
    fn counts(&self, id: &str, subject: &Subject, watch: &Watch) -> bool {
        let at = namespace(id);
        let mut homes: Vec<&str> = watch.askers.iter().map(|asker| &*asker.namespace).collect();
        homes.push(subject.namespace());
        if homes.contains(&at) || self.trusted.iter().any(|trusted| trusted == at) {
            return true;
        }
        let known = self.proxies.get(id);
        if known.is_some_and(|known| known.is_given_up) {
            return false;
        }
        let is_gateway = known.is_none_or(|known| known.is_gateway);
        self.replicas.values().filter(|replica| replica.answers.is_ok()).any(|replica| {
            is_exported(replica.dumps.exports(subject), subject.namespace(), at)
                && (is_gateway || replica.dumps.scope.may_see(at, &homes))
        })
    }

    /// Returns the dumps that the next round needs.
    pub(super) fn needs<'w>(
        &self,
        watches: impl Iterator<Item = (&'w Subject, &'w Watch)>,
        verify: bool,
    ) -> dump::Which {
        if self.replicas.is_empty() {
            return [true; 3];
        }
        let mut needs = [false, false, verify];
        for (subject, watch) in watches.filter(|(_, watch)| watch.is_waited_for(self.now)) {
            for (name, replica) in self.replicas {
                let which = match watch.seen.get(name) {
                    None => dump::which(subject),
                    Some(seen) if seen.done => continue,
                    Some(seen) if self.now >= seen.quiet_at(replica, self.debounce) => [true; 3],
                    Some(_) => continue,
                };
                needs.iter_mut().zip(which).for_each(|(needs, which)| *needs |= which);
            }
        }
        needs
    }
}
