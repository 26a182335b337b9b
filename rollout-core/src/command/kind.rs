use alloc::string::String;
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// The commands that an operator can give.
///
/// Each has one spelling, which [`Display`](fmt::Display) writes, [`FromStr`] reads and JSON uses. (`promoteFull`, the
/// former JSON spelling, is still read.)
///
/// ```
/// use rollout_core::CommandKind;
/// for kind in CommandKind::ALL {
///     assert_eq!(kind.to_string().parse(), Ok(kind));
///     assert_eq!(serde_json::to_value(kind)?, kind.as_str());
/// }
/// let error = "promot".parse::<CommandKind>().unwrap_err();
/// assert!(error.to_string().starts_with(r#""promot" is not a command; the commands are promote, promote-full, "#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CommandKind {
    /// End the current pause.
    Promote,
    /// Skip all remaining steps and give the canary all traffic.
    #[serde(alias = "promoteFull")]
    PromoteFull,
    /// Skip the current step.
    Skip,
    /// Stop the rollout where it is (`spec.paused`).
    Pause,
    /// Continue after `Pause`.
    Resume,
    /// Abort the update: traffic returns to stable.
    Abort,
    /// Restart an aborted update from its first step.
    Retry,
    /// Restore the stable revision's template in the user's object.
    Undo,
    /// Override the wait for proxies that are behind, or for a stable revision that cannot carry the traffic.
    Proceed,
}

impl CommandKind {
    /// All commands.
    ///
    /// ```
    /// assert_eq!(rollout_core::CommandKind::ALL.map(|kind| kind.as_str())[..3], ["promote", "promote-full", "skip"]);
    /// ```
    pub const ALL: [Self; 9] = [
        Self::Promote,
        Self::PromoteFull,
        Self::Skip,
        Self::Pause,
        Self::Resume,
        Self::Abort,
        Self::Retry,
        Self::Undo,
        Self::Proceed,
    ];

    /// Returns the name, as people write it.
    ///
    /// ```
    /// assert_eq!(rollout_core::CommandKind::PromoteFull.as_str(), "promote-full");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::PromoteFull => "promote-full",
            Self::Skip => "skip",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::Undo => "undo",
            Self::Proceed => "proceed",
        }
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CommandKind {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let name = if text == "promoteFull" { Self::PromoteFull.as_str() } else { text };
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownCommand { text: text.into() })
    }
}

/// An error for a text that names no command. Its message quotes the text and lists all commands.
///
/// ```
/// use rollout_core::CommandKind;
/// let error = "Abort".parse::<CommandKind>().unwrap_err();
/// assert_eq!(error.text, "Abort", "capitals count");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownCommand {
    /// The text that was read.
    pub text: String,
}

impl core::error::Error for UnknownCommand {}

impl fmt::Display for UnknownCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a command; the commands are ", self.text)?;
        for (index, kind) in CommandKind::ALL.iter().enumerate() {
            write!(f, "{}{kind}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
