use std::{fmt, time::Duration};

/// The fault to inject into one request to the simulated API server.
///
/// See [`Disturb`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// No fault.
    None,
    /// The request reaches the server this much later; the answer then comes at once.
    Late(Duration),
    /// The request is carried out at once; the answer comes this much later, and may be stale by then.
    AnswerLate(Duration),
    /// The answer is this code, and the request has no effect.
    Refused(u16),
    /// The request takes effect, but the answer is this code.
    Misreported(u16),
    /// The request is lost: no effect and no answer.
    Lost,
    /// The request takes effect, and the answer is lost.
    AnswerLost,
    /// The answer is this code, at once, and the request takes effect this much later.
    LandsLate(u16, Duration),
}

/// Decides which faults to inject into each request, named by verb and kind (`PUT virtualservices`, `POST pods/eviction`),
/// and into each event of a watch.
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
    /// Returns the fault for this request. It is called for watches, too, but these can only be late or refused.
    fn request(&mut self, what: &str) -> Trouble;

    /// Returns how much later the watches show the next change.
    fn watch_lag(&mut self) -> Duration;
}

/// Injects no faults.
pub(super) struct Calm;

impl Disturb for Calm {
    fn request(&mut self, _: &str) -> Trouble {
        Trouble::None
    }

    fn watch_lag(&mut self) -> Duration {
        Duration::ZERO
    }
}

/// The source of faults.
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
