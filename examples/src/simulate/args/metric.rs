//! `--metric`: what a metric is, from when on.

use super::super::duration;
use std::{str::FromStr, time::Duration};

/// The values of one metric over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScriptedMetric {
    pub(crate) name: String,
    /// Each value, and from when on it holds; sorted by time.
    pub(crate) values: Vec<(Duration, Scripted)>,
}

/// What its provider answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scripted {
    /// This number.
    Number(f64),
    /// No data.
    Nothing,
    /// An error.
    Error,
}

impl ScriptedMetric {
    /// What it is at a time; before the first value, that one.
    pub(crate) fn at(&self, time: Duration) -> Scripted {
        let value = self.values.iter().rev().find(|(from, _)| *from <= time).or(self.values.first());
        value.map_or(Scripted::Nothing, |(_, value)| *value)
    }
}

impl FromStr for ScriptedMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write it like success-rate=0.99 or success-rate=0.99@0s,0.90@12m,none@15m,error@16m";
        let (name, values) = text.split_once('=').ok_or(example)?;
        let values = values.split(',').map(|value| {
            let (value, from) = value.split_once('@').unwrap_or((value, "0s"));
            let scripted = match value {
                "none" => Scripted::Nothing,
                "error" => Scripted::Error,
                number => Scripted::Number(number.parse().map_err(|_| {
                    format!("{number:?} is not a valid value; write a number, none or error: {example}")
                })?),
            };
            Ok((duration::parse(from)?, scripted))
        });
        let mut values = values.collect::<Result<Vec<_>, String>>()?;
        values.sort_by_key(|(from, _)| *from);
        Ok(Self { name: name.to_owned(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_from_their_times_on() {
        let metric: ScriptedMetric = "rate=0.99@0s,none@15m,0.90@12m,error@16m".parse().unwrap();
        let at = |minutes: u64| metric.at(Duration::from_secs(minutes * 60));
        assert_eq!((at(0), at(11)), (Scripted::Number(0.99), Scripted::Number(0.99)));
        assert_eq!((at(12), at(15), at(60)), (Scripted::Number(0.9), Scripted::Nothing, Scripted::Error));
        assert!("rate".parse::<ScriptedMetric>().unwrap_err().contains("write it like"));
        assert!("rate=high".parse::<ScriptedMetric>().unwrap_err().contains("\"high\" is not a valid value"));
    }
}
