//! Untrusted text, made safe to show to people.

use rollout_core::Escaped;
use std::fmt::Display;

/// Escapes an untrusted text into one line of at most `max` bytes.
pub(crate) fn one_line(text: impl Display, max: usize) -> String {
    let mut text = Escaped(text).to_string();
    if text.len() > max {
        let end = '…';
        let max = max.saturating_sub(end.len_utf8());
        let cut = (0..=max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(cut);
        text.push(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_text_is_cut_at_a_character_boundary() {
        assert_eq!(one_line("short", 5), "short");
        assert_eq!(one_line("too long", 7), "too …");
        assert_eq!(one_line("üüü", 5), "ü…");
        assert_eq!(one_line("a\nb", 3), "…");
        assert_eq!(one_line("abc", 0), "…", "the ellipsis is always there");
    }
}
