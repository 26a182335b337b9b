//! Conditions over `result`: a typed, total and bounded subset of the expression language of Argo Rollouts.
//!
//! | file | answers |
//! |---|---|
//! | `lex`, `literal` | which words a text has |
//! | `cursor`, `parse`, `node` | which expression the words are |
//! | `kind`, `check` | whether its types fit, before it runs |
//! | `functions`, `pattern` | which functions and patterns there are |
//! | `value`, `eval`, `operate` | what it gives |
//! | `tried` | what it would give for a value that nobody has measured |
//! | `error` | where it is wrong, and what to write |

#[expect(clippy::wildcard_enum_match_arm, reason = "what is left of the functions is alike")]
mod check;
mod cursor;
mod error;
#[expect(clippy::wildcard_enum_match_arm, reason = "values of all other types are refused alike")]
mod eval;
#[expect(clippy::wildcard_enum_match_arm, reason = "most functions take one argument")]
mod functions;
mod kind;
mod lex;
mod literal;
mod node;
#[expect(clippy::wildcard_enum_match_arm, reason = "values of all other types are refused alike")]
mod operate;
mod parse;
pub(super) mod pattern;
#[expect(clippy::wildcard_enum_match_arm, reason = "only a few shapes are looked for")]
mod tried;
#[expect(clippy::wildcard_enum_match_arm, reason = "values of all other types are refused alike")]
mod value;

pub use error::ConditionError;
pub(crate) use error::shortened;
pub use kind::Kind;
pub use value::Value;

use alloc::{borrow::Cow, format, string::String, sync::Arc};
use error::At;
use node::Node;

/// The greatest length of a condition, in bytes.
pub const MAX_LENGTH: usize = 4 << 10;
/// How deep a condition may be nested.
const MAX_DEPTH: u32 = 64;
/// How many steps one run of a condition may take.
const MAX_STEPS: u32 = 100_000;

/// A condition over `result`, parsed.
///
/// A tenant writes it, so everything is bounded: its length (4 KiB), its depth (64), and the steps of a run (100 000).
/// Patterns take linear time. Nothing in it can panic or loop.
///
/// ```
/// use rollout_core::analysis::{Condition, Value};
/// let condition = Condition::parse("len(result) > 0 && result[0] >= 0.95")?;
/// assert!(condition.eval(&Value::Numbers(vec![0.97]))?);
/// assert!(!condition.eval(&Value::Numbers(vec![]))?);
/// # Ok::<(), rollout_core::analysis::ConditionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Condition {
    text: Arc<str>,
    node: Arc<Node>,
}

impl Condition {
    /// Parses a condition.
    ///
    /// ```
    /// use rollout_core::analysis::Condition;
    /// let error = Condition::parse("results[0] >= 0.95").unwrap_err();
    /// assert_eq!(error.to_string(), "character 1: nothing is called `results`; did you mean `result`?");
    /// ```
    ///
    /// # Errors
    /// The text is no condition, is too long or too deep, or uses a [construct that is not
    /// supported](ConditionError::is_unsupported).
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_LENGTH {
            let what = format!("the condition has {} bytes", text.len());
            return Err(ConditionError::new(At(1), what, format!("write {MAX_LENGTH} bytes at most")));
        }
        Ok(Self { node: Arc::new(parse::parse(text)?), text: text.into() })
    }

    /// Returns the condition as it was written.
    ///
    /// ```
    /// use rollout_core::analysis::Condition;
    /// assert_eq!(Condition::parse(" true ")?.text(), " true ");
    /// # Ok::<(), rollout_core::analysis::ConditionError>(())
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks the types of the whole condition, also of parts that may never run, for a `result` of this type.
    ///
    /// See [`Kind`] for an example.
    ///
    /// # Errors
    /// A part has a type that can never work.
    pub fn check(&self, result: &Kind) -> Result<(), ConditionError> {
        check::check(&self.node, result)
    }

    /// Checks the condition against the type of this value, and runs it.
    ///
    /// ```
    /// use rollout_core::analysis::{Condition, Value};
    /// let error = Condition::parse("result[0] >= 0.95")?.eval(&Value::Numbers(vec![])).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "character 7: the provider answered no data: the list is empty; write `len(…) > 0 && …` before it"
    /// );
    /// # Ok::<(), rollout_core::analysis::ConditionError>(())
    /// ```
    ///
    /// # Errors
    /// A type does not fit, an element is not there, a text is not a number, or the run takes too many steps.
    pub fn eval(&self, value: &Value) -> Result<bool, ConditionError> {
        let failed = |mut error: ConditionError| {
            if let Some(about) =
                eval::no_data(value).filter(|about| !about.is_empty() && error.instead.is_empty())
            {
                error.instead = Cow::Owned(about);
            }
            error
        };
        self.check(&value.kind()).map_err(failed)?;
        eval::run(&self.node, value).map_err(failed)
    }
}

impl core::fmt::Display for Condition {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a value means for a metric.
///
/// ```
/// use rollout_core::analysis::{Condition, Phase, Value, verdict};
/// let (good, bad) = (Condition::parse("result >= 0.95")?, Condition::parse("result < 0.9")?);
/// let of = |number| verdict(Some(&good), Some(&bad), &Value::Number(number));
/// assert_eq!(of(0.96), Ok(Phase::Successful));
/// assert_eq!(of(0.93), Ok(Phase::Inconclusive), "neither holds");
/// assert_eq!(of(0.85), Ok(Phase::Failed));
/// # Ok::<(), rollout_core::analysis::ConditionError>(())
/// ```
///
/// # Errors
/// A condition cannot be evaluated for this value: the measurement is an error.
pub fn verdict(
    success: Option<&Condition>,
    failure: Option<&Condition>,
    value: &Value,
) -> Result<super::Phase, ConditionFailed> {
    use super::Phase;
    let holds = |condition: Option<&Condition>, which: Which| match condition {
        None => Ok(None),
        Some(condition) => condition.eval(value).map(Some).map_err(|error| ConditionFailed {
            which,
            condition: condition.text.clone(),
            error,
        }),
    };
    let (good, bad) = (holds(success, Which::Success)?, holds(failure, Which::Failure)?);
    Ok(match (good, bad) {
        (_, Some(true)) | (Some(false), None) => Phase::Failed,
        (Some(true) | None, _) => Phase::Successful,
        (Some(false), Some(false)) => Phase::Inconclusive,
    })
}

/// Which of a metric's two conditions is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Success,
    Failure,
}

/// A condition that could not be evaluated for a value.
///
/// ```
/// use rollout_core::analysis::{Condition, Value, verdict};
/// let good = Condition::parse("result >= 0.95")?;
/// let failed = verdict(Some(&good), None, &Value::Text("down".into())).unwrap_err();
/// assert!(failed.to_string().starts_with("could not evaluate successCondition \"result >= 0.95\": character 8: "));
/// # Ok::<(), rollout_core::analysis::ConditionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionFailed {
    which: Which,
    condition: Arc<str>,
    error: ConditionError,
}

impl ConditionFailed {
    /// Returns what is wrong with the condition.
    ///
    /// ```
    /// use rollout_core::analysis::{Condition, Value, verdict};
    /// let good = Condition::parse("result >= 0.95")?;
    /// let failed = verdict(Some(&good), None, &Value::Text("down".into())).unwrap_err();
    /// assert_eq!(failed.error().character, 8);
    /// # Ok::<(), rollout_core::analysis::ConditionError>(())
    /// ```
    #[must_use]
    pub fn error(&self) -> &ConditionError {
        &self.error
    }
}

impl core::fmt::Display for ConditionFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let which = match self.which {
            Which::Success => "successCondition",
            Which::Failure => "failureCondition",
        };
        let condition: String = self.condition.chars().take(200).collect();
        write!(f, "could not evaluate {which} {condition:?}: {}", self.error)
    }
}

impl core::error::Error for ConditionFailed {}
