//! A load balancer in memory, for the program `custom_backend`: it knows nothing of rollouts.
//!
//! It is a pool of two groups of servers. Its API has what an engine needs of yours: it takes the version that was read,
//! for compare-and-swap; it has room for a comment; and it says whether its proxies do what it was told. As real ones do,
//! it answers late, and it may lose an answer. Its time is virtual.

use std::{
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

/// What a pool is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever tells it says all of it")]
pub struct Config {
    /// Which version of the servers is in the first group; all of them if none is named.
    pub first: Option<String>,
    /// Which version is in the second group, likewise.
    pub second: Option<String>,
    /// How many requests in a hundred go to the second group.
    pub weight: u32,
    /// For whom the weight was set: a comment.
    pub set_for: Option<String>,
    /// Who was here last: a comment.
    pub signed: Option<String>,
}

/// What a pool says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an answer, whole")]
pub struct Said {
    /// What it was told.
    pub config: Config,
    /// Rises with every write.
    pub version: u64,
    /// Rises with every write that its proxies have to know of.
    pub content: u64,
    /// Whether all proxies do what it was told.
    pub in_force: bool,
}

/// Why a write got no answer that says that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever writes has to know all of them")]
pub enum NotPut {
    /// It has another version by now: nothing was written.
    Stale,
    /// No answer came: it may have been written.
    TimedOut,
}

/// The pool.
///
/// ```
/// use examples::pool::{Config, NotPut, Pool, run};
/// use std::time::Duration;
/// let pool = Pool::new(Duration::from_secs(3), &[2]);
/// let ten = Config { weight: 10, ..Config::default() };
/// assert_eq!(run(pool.put(&ten, 7)), Err(NotPut::Stale));
/// let said = run(pool.put(&ten, 0))?;
/// assert!(said.config == ten && said.version == 1 && !said.in_force, "the proxies need 3 s");
/// pool.wait_until(Duration::from_secs(9));
/// assert!(run(pool.get()).in_force);
/// let signed = Config { signed: Some("me".into()), ..ten };
/// assert_eq!(run(pool.put(&signed, 1)), Err(NotPut::TimedOut), "this answer gets lost");
/// assert_eq!(run(pool.get()).config, signed);
/// # Ok::<(), NotPut>(())
/// ```
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
    takes: Duration,
    loses: Vec<u64>,
}

#[derive(Debug, Default)]
struct State {
    config: Config,
    version: u64,
    content: u64,
    in_force: Duration,
    now: Duration,
}

/// Every answer comes so long after the question.
const LATE: Duration = Duration::from_millis(200);

impl Pool {
    /// Its proxies take so long to do what it was told; the answers to the writes of these versions get lost.
    #[must_use]
    pub fn new(takes: Duration, loses: &[u64]) -> Self {
        Self { state: Mutex::default(), takes, loses: loses.to_vec() }
    }

    /// How long ago it was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.state().now
    }

    /// Lets time pass.
    pub fn wait_until(&self, now: Duration) {
        let mut state = self.state();
        state.now = state.now.max(now);
    }

    /// `GET /pool`
    pub async fn get(&self) -> Said {
        self.late().await;
        self.state().said()
    }

    /// `PUT /pool`, if it still has the version that was read; says how it is then.
    ///
    /// # Errors
    /// It has another version, or no answer came.
    pub async fn put(&self, config: &Config, read: u64) -> Result<Said, NotPut> {
        self.late().await;
        let mut state = self.state();
        if read != state.version {
            return Err(NotPut::Stale);
        }
        let told = |config: &Config| (config.first.clone(), config.second.clone(), config.weight);
        if told(config) != told(&state.config) {
            (state.content, state.in_force) = (state.content.saturating_add(1), state.now + self.takes);
        }
        (state.config, state.version) = (config.clone(), state.version.saturating_add(1));
        if self.loses.contains(&state.version) { Err(NotPut::TimedOut) } else { Ok(state.said()) }
    }

    async fn late(&self) {
        let mut asked = false;
        let answer = poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            self.state().now += LATE;
            context.waker().wake_by_ref();
            Poll::Pending
        });
        answer.await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn said(&self) -> Said {
        let in_force = self.now >= self.in_force;
        Said { config: self.config.clone(), version: self.version, content: self.content, in_force }
    }
}

/// Runs what asks a pool to its end: your program has a runtime for that.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
