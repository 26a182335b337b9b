//! Analysis: what metrics say about a release.
//!
//! Pure: measuring is done elsewhere. [`assess`] decides what to ask now, a provider answers, and [`record`] puts the
//! answers in and judges the run; a [`RunTurn`] gives the order of that work. A [`Condition`] judges a single answer. [`compose`](compose()) makes one [`RunSpec`]
//! of templates and arguments.

mod arguments;
mod assess;
mod check;
mod compose;
mod condition;
mod due;
mod judge;
mod phase;
mod spec;
mod status;
mod turn;
mod wire;

pub(crate) use condition::shortened;
pub(crate) use due::{due, wake};

pub use arguments::{InvalidArgument, arguments};
pub use assess::{Answer, Ask, RunPlan, assess, record};
pub use compose::{Composed, InvalidTemplates, Templates, compose};
pub use condition::{Condition, ConditionError, ConditionFailed, Kind, MAX_LENGTH, Value, verdict};
pub use phase::Phase;
pub use spec::{Metric, RunSpec, duration};
pub use status::{Measurement, MetricResult, RunStatus, Summary};
pub use turn::{RunNext, RunTurn};
