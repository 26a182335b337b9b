//! What a strategy says about analyses.

use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

/// An analysis: which templates, with which arguments. A step waits for one; another may run beside the steps.
///
/// ```
/// use rollout_core::{Step, analysis::Analysis};
/// let analysis = Analysis::of("success-rate");
/// assert_eq!(analysis.templates, [("success-rate".into(), false)]);
/// assert_eq!(Step::Analysis(analysis.into()).to_string(), "analysis");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "what is put in is written out")]
pub struct Analysis {
    /// The templates by name, in order, and whether each is one of the whole cluster.
    pub templates: Vec<(Arc<str>, bool)>,
    /// The arguments.
    pub args: Vec<AnalysisArg>,
    /// Name patterns of dry-run metrics: their results do not affect the verdict.
    pub dry_run: Vec<Arc<str>>,
    /// Patterns of the names of metrics, with how many measurements are kept.
    pub measurement_retention: Vec<(Arc<str>, i32)>,
    /// Labels of its runs.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its runs.
    pub annotations: BTreeMap<String, String>,
}

/// An argument of an analysis.
///
/// ```
/// use rollout_core::{analysis::{AnalysisArg, ArgSource}};
/// let arg = AnalysisArg { name: "hash".into(), value: ArgSource::LatestHash };
/// assert_ne!(arg.value, ArgSource::Value("v2".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "a name and a value")]
pub struct AnalysisArg {
    /// The name.
    pub name: Arc<str>,
    /// Where its value comes from.
    pub value: ArgSource,
}

/// Where the value of an argument comes from.
///
/// See [`AnalysisArg`] for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_enums, reason = "manifests have exactly these")]
pub enum ArgSource {
    /// It is written out.
    Value(Arc<str>),
    /// The hash of the stable revision.
    StableHash,
    /// The hash of the revision that is rolled out.
    LatestHash,
    /// A field of the user's object.
    Field(Arc<str>),
}

/// The analysis that runs beside the steps.
///
/// ```
/// use rollout_core::{Strategy, analysis::{Analysis, Background}};
/// let background = Background { analysis: Analysis::of("success-rate").into(), starting_step: 1 };
/// let strategy = Strategy::builder().background(Some(background.clone())).build()?;
/// assert_eq!(strategy.background(), Some(&background));
/// # Ok::<(), rollout_core::InvalidStrategy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(clippy::exhaustive_structs, reason = "what, and from when on")]
pub struct Background {
    /// The analysis.
    pub analysis: Arc<Analysis>,
    /// The index, from 0, of the step at which it starts.
    pub starting_step: u32,
}

impl Analysis {
    /// Creates the analysis of one template of the same namespace, without arguments.
    ///
    /// See [`Analysis`] for an example.
    #[must_use]
    pub fn of(template: &str) -> Self {
        Self { templates: Vec::from([(template.into(), false)]), ..Self::default() }
    }
}
