//! Foreign text, made safe to display.

use core::fmt::{self, Write};

/// Shows foreign text on one line, exactly as what it is: control characters, line breaks and characters that change
/// the direction of writing appear as `\n` or `\u{202e}`.
///
/// The name or message of an object may contain any character. Unescaped, a line break can forge a log line, ESC can
/// control a terminal, and a bidirectional override can make a text read as another. All other characters, including
/// backslashes, are unchanged: the output is for people and cannot be parsed back. Width and precision are ignored.
///
/// ```
/// use rollout_core::Escaped;
/// let name = "web\n2026-01-01 INFO done\u{1b}[2J \u{202e}gpj";
/// assert_eq!(Escaped(name).to_string(), r"web\n2026-01-01 INFO done\u{1b}[2J \u{202e}gpj");
/// assert_eq!(Escaped("Größe 5 % \\ ok").to_string(), "Größe 5 % \\ ok");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain wrapper")]
pub struct Escaped<T>(pub T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// A writer that escapes what is written to it.
struct Escaping<'f, 'a>(&'f mut fmt::Formatter<'a>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, found)) = rest.char_indices().find(|(_, found)| is_hidden(*found)) {
            let (plain, from) = rest.split_at(at);
            self.0.write_str(plain)?;
            match found {
                '\n' => self.0.write_str("\\n")?,
                '\r' => self.0.write_str("\\r")?,
                '\t' => self.0.write_str("\\t")?,
                _ => write!(self.0, "{}", found.escape_unicode())?,
            }
            rest = from.get(found.len_utf8()..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

/// Returns whether a character is invisible but changes what is displayed.
fn is_hidden(found: char) -> bool {
    // C0 and C1 controls; directional marks, embeddings, overrides and isolates; line and paragraph separators;
    // zero-width characters; tags, which are invisible letters.
    found.is_control()
        || matches!(
            found,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    #[test]
    fn nothing_is_left_that_breaks_a_line_orders_a_terminal_or_turns_the_writing() {
        for code in 0..=0x10_ffff_u32 {
            let Some(found) = char::from_u32(code) else { continue };
            let shown = Escaped(found).to_string();
            assert!(!shown.chars().any(|found| found.is_control() || is_hidden(found)), "{code:x}");
            let is_kept = shown.chars().eq([found]);
            assert_eq!(is_kept, !is_hidden(found), "{code:x}");
        }
        for attack in
            ["\n", "\r", "\u{1b}", "\u{85}", "\u{9b}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{2066}"]
        {
            assert!(Escaped(attack).to_string().starts_with('\\'), "{attack:?}");
        }
    }

    #[test]
    fn what_is_made_of_several_pieces_is_escaped_in_each() {
        let shown = format!("{} {}", Escaped(format_args!("{}-{}", "a\tb", "\u{7f}c")), Escaped(""));
        assert_eq!(shown, "a\\tb-\\u{7f}c ");
    }
}
