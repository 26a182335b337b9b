use std::{fmt, time::Duration};

/// What goes wrong with one request to the played API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing.
    None,
    /// It reaches the server so much later; the answer comes at once then.
    Late(Duration),
    /// It takes effect, or is read, at once; the answer comes so much later, and may be old by then.
    AnswerLate(Duration),
    /// It is answered with this code, and has no effect.
    Refused(u16),
    /// It takes effect, and is answered with this code.
    Misreported(u16),
    /// It is lost on the way: there is no effect, and no answer.
    Lost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It is answered with this code at once, and takes effect so much later.
    LandsLate(u16, Duration),
}

/// Decides what goes wrong: with each request, which is named by verb and kind (`PUT virtualservices`), and with
/// each event of a watch.
///
/// ```
/// use rollout_kube::testing::{Disturb, SimulatedApiServer, Trouble};
/// use std::time::Duration;
///
/// struct NoWrites;
///
/// impl Disturb for NoWrites {
///     fn request(&mut self, what: &str) -> Trouble {
///         if what.starts_with("GET") { Trouble::None } else { Trouble::Refused(503) }
///     }
///     fn watch_lag(&mut self) -> Duration {
///         Duration::ZERO
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// server.apply("/api/v1/namespaces/shop/services/web", serde_json::json!({}));
/// server.disturb(NoWrites);
/// let path = "/api/v1/namespaces/shop/services/web";
/// let client = server.client();
/// assert!(client.request_text(http::Request::get(path).body(Vec::new())?).await.is_ok());
/// assert!(client.request_text(http::Request::delete(path).body(Vec::new())?).await.is_err());
/// # Ok(()) }
/// ```
pub trait Disturb: Send {
    /// What goes wrong with this request. Watches are request about, too, but can only be late or refused.
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
