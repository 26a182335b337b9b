//! Analysis: what metrics say about a release.
//!
//! A rollout sees a run as [`RunSeen`]. The rest needs the feature `analysis`.
//!
//! Pure: measuring is done elsewhere. [`assess`] decides what to ask now, a provider answers, and [`record`] puts the
//! answers in and judges the run; a [`RunTurn`] gives the order of that work. A [`Condition`] judges a single answer.
//! [`compose`](compose()) makes one [`RunSpec`] of templates and arguments, and [`lint`](lint()) says what is wrong with
//! it before it runs. [`Compare`] is the one metric that is judged here, by what was counted of canary and stable.

#[cfg(feature = "analysis")]
mod arguments;
#[cfg(feature = "analysis")]
mod assess;
#[cfg(feature = "analysis")]
mod check;
#[cfg(feature = "analysis")]
mod compose;
#[cfg(feature = "analysis")]
mod condition;
#[cfg(feature = "analysis")]
mod due;
#[cfg(feature = "analysis")]
mod evidence;
#[cfg(feature = "analysis")]
mod judge;
#[cfg(feature = "analysis")]
mod lint;
#[cfg(feature = "analysis")]
mod of_rollout;
mod phase;
mod seen;
#[cfg(feature = "analysis")]
mod spec;
#[cfg(feature = "analysis")]
mod status;
#[cfg(feature = "analysis")]
mod told;
#[cfg(feature = "analysis")]
mod turn;
#[cfg(feature = "analysis")]
mod wire;

#[cfg(feature = "analysis")]
pub(crate) use condition::shortened;
#[cfg(feature = "analysis")]
pub(crate) use due::{due, wake};

pub use crate::{
    action::RunChange,
    reconcile::current_runs,
    status::Attempts,
    strategy::{Analysis, AnalysisArg, ArgSource, Background},
};
#[cfg(feature = "analysis")]
pub use arguments::{InvalidArgument, arguments};
#[cfg(feature = "analysis")]
pub use assess::{Answer, Ask, RunPlan, assess, record};
#[cfg(feature = "analysis")]
pub use compose::{Composed, InvalidTemplates, Templates, compose};
#[cfg(feature = "analysis")]
pub use condition::{Condition, ConditionError, ConditionFailed, Kind, MAX_LENGTH, Value, verdict};
#[cfg(feature = "analysis")]
pub use evidence::{
    Compare, Comparison, Count, Counters, Evidence, InvalidCounter, Lacks, Question, Window, seconds_needed,
};
#[cfg(feature = "analysis")]
use lint::Source;
#[cfg(feature = "analysis")]
pub use lint::{Around, Stay, Traffic, lint, power};
#[cfg(feature = "analysis")]
pub use of_rollout::{InvalidAnalysis, TemplateRef};
pub use phase::Phase;
pub use seen::{MetricSeen, RunId, RunRole, RunSeen};
#[cfg(feature = "analysis")]
pub use spec::{Metric, RunSpec, duration};
#[cfg(feature = "analysis")]
pub use status::{Measurement, MetricResult, RunStatus, Summary};
#[cfg(feature = "analysis")]
pub use turn::{RunNext, RunTurn};
