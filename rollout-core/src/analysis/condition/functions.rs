//! The functions that a condition may call.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    All,
    Any,
    None,
    One,
    Filter,
    Count,
    Map,
    Len,
    IsNan,
    IsInf,
    IsNil,
    Default,
    AsInt,
    AsFloat,
    Max,
    Min,
    Sum,
    Mean,
    First,
    Last,
    HasPrefix,
    HasSuffix,
}

const FUNCTIONS: [(&str, Function); 22] = [
    ("all", Function::All),
    ("any", Function::Any),
    ("none", Function::None),
    ("one", Function::One),
    ("filter", Function::Filter),
    ("count", Function::Count),
    ("map", Function::Map),
    ("len", Function::Len),
    ("isNaN", Function::IsNan),
    ("isInf", Function::IsInf),
    ("isNil", Function::IsNil),
    ("default", Function::Default),
    ("asInt", Function::AsInt),
    ("asFloat", Function::AsFloat),
    ("max", Function::Max),
    ("min", Function::Min),
    ("sum", Function::Sum),
    ("mean", Function::Mean),
    ("first", Function::First),
    ("last", Function::Last),
    ("hasPrefix", Function::HasPrefix),
    ("hasSuffix", Function::HasSuffix),
];

/// Functions and words of the language that Argo Rollouts knows and we do not.
const UNSUPPORTED: [&str; 58] = [
    "abs",
    "ceil",
    "floor",
    "round",
    "int",
    "float",
    "string",
    "type",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
    "lower",
    "split",
    "splitAfter",
    "replace",
    "repeat",
    "join",
    "indexOf",
    "lastIndexOf",
    "median",
    "toJSON",
    "fromJSON",
    "toBase64",
    "fromBase64",
    "now",
    "duration",
    "date",
    "timezone",
    "get",
    "take",
    "keys",
    "values",
    "toPairs",
    "fromPairs",
    "reverse",
    "uniq",
    "concat",
    "flatten",
    "sort",
    "sortBy",
    "groupBy",
    "reduce",
    "find",
    "findIndex",
    "findLast",
    "findLastIndex",
    "bitand",
    "bitor",
    "bitxor",
    "bitnand",
    "bitnot",
    "bitshl",
    "bitshr",
    "bitushr",
    "let",
    "if",
    "$env",
];

impl Function {
    pub(super) fn of(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    pub(super) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    /// How it is called.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::All => "all(list, # < 1)",
            Self::Any => "any(list, # < 1)",
            Self::None => "none(list, # < 1)",
            Self::One => "one(list, # < 1)",
            Self::Filter => "filter(list, # < 1)",
            Self::Count => "count(list, # < 1)",
            Self::Map => "map(list, # * 2)",
            Self::Len => "len(list)",
            Self::IsNan => "isNaN(number)",
            Self::IsInf => "isInf(number)",
            Self::IsNil => "isNil(result)",
            Self::Default => "default(result, 0)",
            Self::AsInt => "asInt(value)",
            Self::AsFloat => "asFloat(value)",
            Self::Max => "max(list)",
            Self::Min => "min(list)",
            Self::Sum => "sum(list)",
            Self::Mean => "mean(list)",
            Self::First => "first(list)",
            Self::Last => "last(list)",
            Self::HasPrefix => "hasPrefix(text, prefix)",
            Self::HasSuffix => "hasSuffix(text, suffix)",
        }
    }

    /// Whether its second argument looks at each element of the first.
    pub(super) fn takes_predicate(self) -> bool {
        matches!(
            self,
            Self::All | Self::Any | Self::None | Self::One | Self::Filter | Self::Count | Self::Map
        )
    }

    /// The least and the greatest number of arguments.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Self::Max | Self::Min | Self::Mean => (1, usize::MAX),
            Self::Default | Self::HasPrefix | Self::HasSuffix => (2, 2),
            predicate if predicate.takes_predicate() => (2, 2),
            _ => (1, 1),
        }
    }
}

/// Whether Argo Rollouts knows a name that we do not.
pub(super) fn is_unsupported(name: &str) -> bool {
    UNSUPPORTED.contains(&name)
}

/// The names of all functions, to suggest one.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}
