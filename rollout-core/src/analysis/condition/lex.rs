//! From text to words.

use super::{
    error::{At, ConditionError},
    literal,
};
use alloc::{format, string::String, vec::Vec};
use core::{iter::Peekable, str::CharIndices};

/// One word of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Int(i64),
    Float(f64),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) word: Word,
    pub(super) at: At,
}

/// The signs; those that begin like another come before it.
const SIGNS: [&str; 34] = [
    "&&", "||", "==", "!=", "<=", ">=", "**", "??", "?.", "?:", "..", "<", ">", "!", "+", "-", "*", "/", "%",
    "?", ":", ".", ",", ";", "(", ")", "[", "]", "{", "}", "#", "|", "=", "^",
];

struct Lexer<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    at: u32,
}

/// Splits a condition into words.
pub(super) fn words(text: &str) -> Result<(Vec<Placed>, At), ConditionError> {
    let mut lexer = Lexer { text, rest: text.char_indices().peekable(), at: 1 };
    let mut words = Vec::new();
    while let Some(word) = lexer.word()? {
        words.push(word);
    }
    Ok((words, At(lexer.at)))
}

impl<'t> Lexer<'t> {
    fn next(&mut self) -> Option<char> {
        let (_, character) = self.rest.next()?;
        self.at = self.at.saturating_add(1);
        Some(character)
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, character)| *character)
    }

    /// What is not read yet.
    fn left(&mut self) -> &'t str {
        let from = self.rest.peek().map_or(self.text.len(), |(index, _)| *index);
        self.text.get(from..).unwrap_or_default()
    }

    fn take(&mut self, part: &str) {
        for _ in part.chars() {
            self.next();
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let left = self.left();
        let end = left.find(|character| !keep(character)).unwrap_or(left.len());
        let part = left.get(..end).unwrap_or_default();
        self.take(part);
        part
    }

    fn word(&mut self) -> Result<Option<Placed>, ConditionError> {
        self.skip_blanks()?;
        let at = At(self.at);
        let Some(first) = self.peek() else { return Ok(None) };
        let second = self.left().chars().nth(1);
        let word = match first {
            '"' | '\'' | '`' => Word::Text(self.text_literal(first, at)?),
            '0'..='9' => self.number(at)?,
            '.' if second.is_some_and(|second| second.is_ascii_digit()) => self.number(at)?,
            first if first.is_alphabetic() || first == '_' || first == '$' => {
                Word::Name(self.take_while(is_in_name).into())
            }
            _ => self.sign(at)?,
        };
        Ok(Some(Placed { word, at }))
    }

    fn skip_blanks(&mut self) -> Result<(), ConditionError> {
        loop {
            self.take_while(char::is_whitespace);
            let left = self.left();
            if left.starts_with("//") {
                self.take_while(|character| character != '\n');
            } else if left.starts_with("/*") {
                let Some(end) = left.find("*/") else {
                    return Err(ConditionError::new(
                        At(self.at),
                        "a comment does not end",
                        "write `*/` after it",
                    ));
                };
                self.take(left.get(..end.saturating_add(2)).unwrap_or_default());
            } else {
                return Ok(());
            }
        }
    }

    fn text_literal(&mut self, quote: char, at: At) -> Result<String, ConditionError> {
        self.next();
        let mut text = String::new();
        while let Some(character) = self.next() {
            if character == quote {
                return if quote == '`' { Ok(text) } else { literal::unescape(&text, at) };
            }
            if character == '\n' && quote != '`' {
                break;
            }
            text.push(character);
            if character == '\\' && quote != '`' {
                text.extend(self.next());
            }
        }
        Err(ConditionError::new(at, "a text does not end", format!("write {quote} after it")))
    }

    fn number(&mut self, at: At) -> Result<Word, ConditionError> {
        let left = self.left();
        let based = left.get(..2).is_some_and(|head| matches!(head, "0x" | "0X" | "0o" | "0O" | "0b" | "0B"));
        let mut end = 0;
        let mut before = ' ';
        for (index, character) in left.char_indices() {
            let after = left.get(index.saturating_add(1)..).unwrap_or_default();
            let part = match character {
                // `1..3` is a range of integers.
                '.' => {
                    !based && !after.starts_with('.') && !left.get(..index).unwrap_or_default().contains('.')
                }
                '+' | '-' => !based && matches!(before, 'e' | 'E'),
                character => is_in_name(character),
            };
            if !part {
                break;
            }
            end = index.saturating_add(character.len_utf8());
            before = character;
        }
        let text = left.get(..end).unwrap_or_default();
        self.take(text);
        literal::number(text, at)
    }

    fn sign(&mut self, at: At) -> Result<Word, ConditionError> {
        let left = self.left();
        let Some(sign) = SIGNS.into_iter().find(|sign| left.starts_with(sign)) else {
            let character = self.peek().unwrap_or(' ');
            return Err(ConditionError::new(at, format!("{character:?} means nothing here"), "leave it out"));
        };
        self.take(sign);
        Ok(Word::Sign(sign))
    }
}

fn is_in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}
