use crate::mesh::Dice;
use rollout_kube::testing::{Disturb, Trouble};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What goes wrong by chance.
pub(crate) struct ByChance {
    pub(crate) dice: Dice,
    /// Of a thousand requests.
    pub(crate) often: u64,
    /// In milliseconds.
    pub(crate) lag: u64,
    /// How many requests there were.
    pub(crate) asked: Arc<AtomicU64>,
    pub(crate) refused: Refused,
    pub(crate) blind: Blind,
}

/// Which writes are refused, with which code, and until when: by a quota, a policy or a webhook.
pub(crate) type Refused = Arc<Mutex<Option<(&'static str, u16, Instant)>>>;

/// Until when nothing can be watched or listed.
pub(crate) type Blind = Arc<Mutex<Option<Instant>>>;

/// No history needs more requests: beyond them, nothing is answered any more, or one that turns in circles would go on
/// for ever in no time.
pub(crate) const MOST: u64 = 5_000;

impl Disturb for ByChance {
    fn request(&mut self, what: &str) -> Trouble {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MOST {
            return Trouble::Lost;
        }
        let is_watched = what.starts_with("LIST") || what.starts_with("WATCH");
        if is_watched && self.blind.lock().unwrap().is_some_and(|until| until > Instant::now()) {
            return Trouble::Refused(503);
        }
        let refused = *self.refused.lock().unwrap();
        if let Some((_, code, _)) = refused.filter(|(of, _, until)| *of == what && *until > Instant::now()) {
            return Trouble::Refused(code);
        }
        if self.dice.roll(1_000) >= self.often {
            return Trouble::None;
        }
        let is_write = !what.starts_with("GET") && !what.starts_with("LIST") && !what.starts_with("WATCH");
        match self.dice.roll(9) {
            0 => Trouble::Late(Duration::from_millis(self.dice.roll(5_000))),
            7 if !what.starts_with("WATCH") => {
                Trouble::AnswerLate(Duration::from_millis(self.dice.roll(9_000)))
            }
            1 => Trouble::Refused(429),
            2 => Trouble::Refused(500),
            3 if is_write => Trouble::Refused(409),
            4 if is_write => Trouble::Misreported(500),
            5 if is_write => Trouble::AnswerLost,
            6 if is_write => Trouble::Lost,
            8 if is_write => Trouble::LandsLate(504, Duration::from_millis(self.dice.roll(20_000))),
            _ => Trouble::Refused(503),
        }
    }

    fn watch_lag(&mut self) -> Duration {
        Duration::from_millis(self.dice.roll(self.lag + 1))
    }
}
