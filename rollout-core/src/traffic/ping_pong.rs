use core::fmt;
use serde::{Deserialize, Serialize};

/// Which of the two Services of `pingPong` is stable now; the other one is the canary's. They swap when an update is
/// complete, so that no Service that receives requests ever changes its pods.
///
/// ```
/// use rollout_core::traffic::StablePingPong;
/// assert_eq!(StablePingPong::default(), StablePingPong::Ping, "the first deploy");
/// assert_eq!(StablePingPong::Ping.other().to_string(), "pong");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[expect(clippy::exhaustive_enums, reason = "there are two Services")]
pub enum StablePingPong {
    /// `pingService`.
    #[default]
    Ping,
    /// `pongService`.
    Pong,
}

impl StablePingPong {
    /// Returns the Service that is not stable.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Ping => Self::Pong,
            Self::Pong => Self::Ping,
        }
    }
}

impl fmt::Display for StablePingPong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}
