//! Parses paths.

use super::{
    Step,
    filter::{Compare, Filter},
};
use serde_json::Value;

const WHOLE: &str = "write {.field}, with braces around all of it";

/// Parses a path in braces.
pub(super) fn path(text: &str) -> Result<Vec<Step>, String> {
    let inner = text.trim().strip_prefix('{').ok_or(WHOLE)?;
    let inner = inner.strip_suffix('}').ok_or(WHOLE)?;
    let mut reader = Reader { rest: inner.trim() };
    if reader.rest.starts_with("range") || reader.rest.starts_with("end") {
        return Err("`range` is not supported; the first value is taken: write [*]".to_owned());
    }
    let steps = reader.steps(&['}'])?;
    if !reader.rest.is_empty() {
        return Err(format!("{:?} is left over; write only one path", reader.rest));
    }
    Ok(steps)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Reads the steps up to the end, or to one of these characters.
    fn steps(&mut self, ends: &[char]) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        let _ = self.take("$") || self.take("@");
        loop {
            match self.peek() {
                None => return Ok(steps),
                Some(end) if ends.contains(&end) || end.is_whitespace() => return Ok(steps),
                Some('[') => {
                    let _ = self.take("[");
                    steps.push(self.bracket()?);
                }
                Some('.') if self.rest.starts_with("..") => {
                    let _ = self.take("..");
                    steps.push(Step::Descend);
                    match self.peek() {
                        Some('[') => {}
                        Some(next) if next != '.' && !ends.contains(&next) => steps.push(self.name(ends)?),
                        _ => return Err("write the name of a field after `..`".to_owned()),
                    }
                }
                Some('.') => {
                    let _ = self.take(".");
                    // `{.}` is the whole, and `.['a']` is `['a']`.
                    if self.peek().is_some_and(|next| next != '[') {
                        steps.push(self.name(ends)?);
                    }
                }
                Some(_) => steps.push(self.name(ends)?),
            }
        }
    }

    /// Reads the name of a field; a backslash takes the next character as it is.
    fn name(&mut self, ends: &[char]) -> Result<Step, String> {
        if self.take("*") {
            return Ok(Step::All);
        }
        let (mut name, mut characters) = (String::new(), self.rest.chars());
        while let Some(next) = characters.clone().next() {
            if matches!(next, '.' | '[' | ']') || next.is_whitespace() || ends.contains(&next) {
                break;
            }
            characters.next();
            let next = if next == '\\' { characters.next().unwrap_or(next) } else { next };
            name.push(next);
        }
        self.rest = characters.as_str();
        if name.is_empty() {
            return Err(format!("a name is missing before {:?}; write {{.field}}", self.rest));
        }
        Ok(Step::Fields(vec![name]))
    }

    /// Reads what stands in `[ ]`, after the first bracket.
    fn bracket(&mut self) -> Result<Step, String> {
        self.space();
        if self.take("?(") {
            let filter = self.filter()?;
            self.space();
            let closed = self.take(")") && self.take("]");
            return if closed { Ok(Step::Filter(filter)) } else { Err("write )] after a filter".to_owned()) };
        }
        if self.peek().is_some_and(|next| matches!(next, '\'' | '"')) {
            let mut names = vec![self.quoted()?];
            self.space();
            while self.take(",") {
                self.space();
                names.push(self.quoted()?);
                self.space();
            }
            return if self.take("]") {
                Ok(Step::Fields(names))
            } else {
                Err("write ] after a name".to_owned())
            };
        }
        let (inner, rest) = self.rest.split_once(']').ok_or("`[` has no `]`; write ] after the number")?;
        self.rest = rest;
        let inner = inner.trim();
        if inner == "*" {
            return Ok(Step::All);
        }
        let number = |text: &str| {
            let text = text.trim();
            text.parse::<i64>()
                .map_err(|_| format!("{text:?} is no place; write a number, or a name in quotes"))
        };
        if inner.contains(':') {
            let bound = |text: Option<&str>| {
                text.map(str::trim).filter(|text| !text.is_empty()).map(number).transpose()
            };
            let mut parts = inner.split(':');
            let (from, to, by) = (bound(parts.next())?, bound(parts.next())?, bound(parts.next())?);
            let by = by.unwrap_or(1);
            if by < 1 || parts.next().is_some() {
                return Err("write [from:to:step] with a step of 1 or more".to_owned());
            }
            return Ok(Step::Slice { from, to, by });
        }
        inner.split(',').map(number).collect::<Result<_, _>>().map(Step::Indexes)
    }

    fn quoted(&mut self) -> Result<String, String> {
        let open = || "a quote is missing; write ['name']".to_owned();
        let quote = self.peek().filter(|next| matches!(next, '\'' | '"')).ok_or_else(open)?;
        let (mut text, mut characters) = (String::new(), self.rest.chars());
        characters.next();
        loop {
            match characters.next().ok_or_else(open)? {
                '\\' => text.extend(characters.next()),
                end if end == quote => break,
                other => text.push(other),
            }
        }
        self.rest = characters.as_str();
        Ok(text)
    }

    /// Reads a filter, up to its closing parenthesis.
    fn filter(&mut self) -> Result<Filter, String> {
        self.space();
        let path = self.steps(&['=', '!', '<', '>', ')', '~'])?;
        self.space();
        if self.peek() == Some(')') {
            return Ok(Filter { path, compare: None });
        }
        let compares = [
            ("==", Compare::Equal),
            ("!=", Compare::Unequal),
            ("<=", Compare::AtMost),
            (">=", Compare::AtLeast),
            ("<", Compare::Less),
            (">", Compare::More),
        ];
        let compare = compares.into_iter().find(|(text, _)| self.take(text));
        let (_, compare) = compare.ok_or("write ==, !=, <, <=, > or >= in a filter")?;
        self.space();
        let value = if self.peek().is_some_and(|next| matches!(next, '\'' | '"')) {
            Value::String(self.quoted()?)
        } else {
            let end = self.rest.find(')').unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            serde_json::from_str(word.trim())
                .ok()
                .filter(|value: &Value| value.is_number() || value.is_boolean())
                .ok_or_else(|| {
                    format!("{word:?} is no value; write a number, true, false, or a text in quotes")
                })?
        };
        Ok(Filter { path, compare: Some((compare, value)) })
    }
}
