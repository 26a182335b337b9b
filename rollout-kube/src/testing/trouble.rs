use std::{fmt, time::Duration};

/// What goes wrong with one request to the played API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing.
    None,
    /// It reaches the server so much later; the answer comes at once then.
    Late(Duration),
    /// It is answered with this code, and has no effect.
    Refused(u16),
    /// It takes effect, and is answered with this code.
    Misreported(u16),
    /// It is lost on the way: there is no effect, and no answer.
    Lost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
}

/// Decides what goes wrong: with each request, which is named by verb and kind (`PUT virtualservices`), and with
/// each event of a watch.
pub trait Disturb: Send {
    /// What goes wrong with this request. Watches are asked about, too, but can only be late or refused.
    fn request(&mut self, what: &str) -> Trouble;

    /// How much later the watches show the next change.
    fn watch_lag(&mut self) -> Duration;
}

/// Nothing goes wrong.
pub(super) struct Calm;

impl Disturb for Calm {
    fn request(&mut self, _: &str) -> Trouble {
        Trouble::None
    }

    fn watch_lag(&mut self) -> Duration {
        Duration::ZERO
    }
}

/// Whoever disturbs.
pub(super) struct Disturbed(pub(super) Box<dyn Disturb>);

impl Default for Disturbed {
    fn default() -> Self {
        Self(Box::new(Calm))
    }
}

impl fmt::Debug for Disturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disturbed")
    }
}
