//! A command line that asks for no simulation: it is wrong, or asks for help or the version.

use std::io::{self, Write};

/// What to print instead of a simulation.
#[derive(Debug)]
pub(crate) struct Refused(clap::Error);

impl From<clap::Error> for Refused {
    fn from(error: clap::Error) -> Self {
        Self(error)
    }
}

impl Refused {
    /// Whether something is wrong.
    pub(crate) fn is_wrong(&self) -> bool {
        self.0.use_stderr()
    }

    /// Prints it with colours, which whoever shows it may take out.
    pub(crate) fn print(&self, to: &mut dyn Write) -> io::Result<()> {
        write!(to, "{}", self.0.render().ansi())
    }

    /// What is wrong, and what to write instead, each in one line.
    pub(crate) fn parts(&self) -> (String, String) {
        let text = self.0.render().to_string();
        let mut paragraphs =
            text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        let what = paragraphs.next().unwrap_or_default();
        let tip = paragraphs.find(|part| part.starts_with("tip: "));
        let bare = |text: &str, mark| text.strip_prefix(mark).unwrap_or(text).to_owned();
        (bare(&what, "error: "), tip.map_or_else(String::new, |tip| bare(&tip, "tip: ")))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        if self.is_wrong() { 2 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Args;

    #[test]
    fn the_tip_is_what_to_write() {
        let refused = Args::read(["x", "--replica", "3"].map(Into::into)).unwrap_err();
        let (what, instead) = refused.parts();
        assert_eq!(what, "unexpected argument '--replica' found");
        assert_eq!(instead, "a similar argument exists: '--replicas'");
        assert_eq!((refused.is_wrong(), refused.code()), (true, 2));
    }

    #[test]
    fn help_is_not_wrong() {
        let refused = Args::read(["--help".into()]).unwrap_err();
        assert_eq!((refused.is_wrong(), refused.code()), (false, 0));
    }
}
