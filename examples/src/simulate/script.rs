//! What is said and done at which time: `--at [ROLLOUT:]12m=abort`.

use super::{change::Change, duration, nearest::nearest};
use rollout_core::CommandKind;
use std::{fmt, time::Duration};

/// One line of the script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scripted {
    /// Which Rollout; `None` is all of them.
    pub(crate) rollout: Option<String>,
    /// How long after the update.
    pub(crate) at: Duration,
    /// What.
    pub(crate) what: Said,
}

/// What the script says or does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// A person's command.
    Command(CommandKind),
    /// Another update.
    Change(Change),
    /// The user's own manifests, applied again.
    Reapply,
}

impl Said {
    /// Whether it can end a pause: the simulation then does not end it.
    pub(crate) fn ends_pauses(&self) -> bool {
        match self {
            Self::Command(kind) => !matches!(kind, CommandKind::Pause | CommandKind::Proceed),
            Self::Change(_) => true,
            Self::Reapply => false,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(kind) => kind.fmt(f),
            Self::Change(change) => change.fmt(f),
            Self::Reapply => f.write_str("reapply"),
        }
    }
}

impl Scripted {
    /// Reads `[ROLLOUT:]TIME=WHAT`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (when, what) = text.split_once('=').ok_or_else(|| {
            let time = text.rsplit_once(':').map_or(text, |(_, time)| time);
            if duration::parse(time).is_ok() {
                return format!(
                    "{text:?} does not say what happens; write `{text}=WHAT`, for example {text}=abort"
                );
            }
            format!("{text:?} does not say when; write it like 12m=abort or provider:12m=abort")
        })?;
        let (rollout, at) = match when.rsplit_once(':') {
            Some((rollout, at)) if !rollout.is_empty() => (Some(rollout.to_owned()), at),
            Some((_, at)) => return Err(format!("there is no name before {when:?}; write {at:?} for all")),
            None => (None, when),
        };
        let at = duration::parse(at)?;
        Ok(Self { what: said(what.trim(), rollout.as_deref())?, rollout, at })
    }
}

impl Scripted {
    /// Which Rollout is named, before the time or in the change.
    pub(crate) fn about(&self) -> Option<&str> {
        let changed = match &self.what {
            Said::Change(change) => change.rollout.as_deref(),
            Said::Command(_) | Said::Reapply => None,
        };
        self.rollout.as_deref().or(changed)
    }
}

fn said(text: &str, rollout: Option<&str>) -> Result<Said, String> {
    if let Some((verb, rest)) = text.split_once(' ') {
        let mut change = match verb {
            "set" => Change::parse_set(rest.trim())?,
            "image" => Change::parse_image(rest.trim())?,
            _ => return Err(unknown(text)),
        };
        match (&change.rollout, rollout) {
            (Some(one), Some(other)) if one != other => {
                return Err(format!(
                    "{text:?} is about {one:?}, and the time about {other:?}; name one of them"
                ));
            }
            (None, Some(name)) => change.rollout = Some(name.to_owned()),
            _ => {}
        }
        return Ok(Said::Change(change));
    }
    if text == "reapply" {
        return Ok(Said::Reapply);
    }
    text.parse().map(Said::Command).map_err(|_| unknown(text))
}

fn unknown(text: &str) -> String {
    let mut known: Vec<String> = CommandKind::ALL.iter().map(ToString::to_string).collect();
    known.extend(["set".to_owned(), "image".to_owned(), "reapply".to_owned()]);
    let word = text.split(' ').next().unwrap_or(text);
    match nearest(word, known.iter().map(String::as_str)) {
        Some("set") => format!("{text:?} does not say what to set; write `set ROLLOUT:path=value`"),
        Some("image") => format!("{text:?} does not say which image; write `image CONTAINER=IMAGE`"),
        Some(near) => format!("{word:?} is not a command; did you mean `{near}`?"),
        None => format!("{word:?} is not a command; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Scripted {
        Scripted::parse(text).unwrap()
    }

    #[test]
    fn every_command_with_and_without_a_name() {
        for kind in CommandKind::ALL {
            let at = Duration::from_secs(720);
            let what = Said::Command(kind);
            assert_eq!(parsed(&format!("12m={kind}")), Scripted { rollout: None, at, what: what.clone() });
            let rollout = Some("provider".to_owned());
            assert_eq!(parsed(&format!("provider:12m={kind}")), Scripted { rollout, at, what });
        }
        assert_eq!(parsed("90s=reapply").what, Said::Reapply);
    }

    #[test]
    fn another_update() {
        let Said::Change(change) = parsed("a:3m=set spec.replicas=4").what else { unreachable!() };
        assert_eq!(change, Change::parse_set("a:spec.replicas=4").unwrap());
        let Said::Change(change) = parsed("3m=image b/web=nginx:2").what else { unreachable!() };
        assert_eq!(change, Change::parse_image("b/web=nginx:2").unwrap());
    }

    #[test]
    fn says_what_to_write_instead() {
        for (text, error) in [
            ("abort", "\"abort\" does not say when; write it like 12m=abort or provider:12m=abort"),
            ("12m", "\"12m\" does not say what happens; write `12m=WHAT`, for example 12m=abort"),
            ("12=abort", "\"12\" is not a time; write it like 30s, 12m or 1h30m"),
            ("12m=abrot", "\"abrot\" is not a command; did you mean `abort`?"),
            ("12m=set", "\"set\" does not say what to set; write `set ROLLOUT:path=value`"),
            (":12m=abort", "there is no name before \":12m\"; write \"12m\" for all"),
            (
                "12m=destroy",
                "\"destroy\" is not a command; there are promote, promote-full, skip, pause, resume, abort, retry, \
                 undo, proceed, set, image, reapply",
            ),
        ] {
            assert_eq!(Scripted::parse(text), Err(error.to_owned()));
        }
    }
}
