//! What is known about types before a condition runs.

use super::{
    error::{At, ConditionError},
    functions::Function,
    kind::{Kind, about_result},
    node::{Link, Node, Operator, What},
};
use alloc::{boxed::Box, format, string::String};

type Checked = Result<Kind, ConditionError>;

/// Checks a whole condition: it must be true or false.
pub(super) fn check(node: &Node, result: &Kind) -> Result<(), ConditionError> {
    let checker = Checker { result, element: None };
    let kind = checker.kind(node)?;
    if kind.excludes(|kind| *kind == Kind::Bool) {
        let what = format!("a condition must be true or false, this is {kind}");
        return Err(ConditionError::new(node.at, what, "write a comparison, such as `result[0] >= 0.95`"));
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Checker<'k> {
    result: &'k Kind,
    element: Option<&'k Kind>,
}

impl Checker<'_> {
    fn kind(self, node: &Node) -> Checked {
        Ok(match &node.what {
            What::Nil => Kind::Nil,
            What::Bool(_) => Kind::Bool,
            What::Int(_) => Kind::Int,
            What::Float(_) => Kind::Float,
            What::Text(_) => Kind::Text,
            What::List(items) => self.list(items)?,
            What::Result => self.result.clone(),
            What::Element => self.element.cloned().unwrap_or(Kind::Any),
            What::Not(inner) => {
                self.bool(inner, "`not`")?;
                Kind::Bool
            }
            What::Minus(inner) | What::Plus(inner) => {
                let kind = self.kind(inner)?;
                if kind.excludes(Kind::is_number) {
                    return Err(wrong(node.at, inner, &kind, &format!("{kind} has no sign")));
                }
                kind
            }
            What::All(sides) | What::Any(sides) => {
                sides.iter().try_for_each(|side| self.bool(side, "`&&` and `||`"))?;
                Kind::Bool
            }
            What::Binary(operator, sides) => self.binary(node.at, *operator, sides)?,
            What::Matches(left, _) => {
                self.text(left, "`matches`")?;
                Kind::Bool
            }
            What::Choice(parts) => {
                let [condition, then, otherwise] = &**parts;
                self.bool(condition, "`?`")?;
                self.kind(then)?.or(self.kind(otherwise)?)
            }
            What::Path(base, links) => self.path(base, links)?,
            What::Call(function, arguments) => self.call(node.at, *function, arguments)?,
        })
    }

    fn bool(self, node: &Node, who: &str) -> Result<(), ConditionError> {
        let kind = self.kind(node)?;
        if kind.excludes(|kind| *kind == Kind::Bool) {
            return Err(wrong(node.at, node, &kind, &format!("{who} needs true or false, not {kind}")));
        }
        Ok(())
    }

    fn text(self, node: &Node, who: &str) -> Result<(), ConditionError> {
        let kind = self.kind(node)?;
        if kind.excludes(|kind| *kind == Kind::Text) {
            return Err(wrong(node.at, node, &kind, &format!("{who} needs a text, not {kind}")));
        }
        Ok(())
    }

    fn list(self, items: &[Node]) -> Checked {
        let mut of = None;
        for item in items {
            let kind = self.kind(item)?;
            of = Some(match of {
                None => kind,
                Some(of) if of == kind => kind,
                Some(_) => Kind::Any,
            });
        }
        Ok(Kind::List(Box::new(of.unwrap_or(Kind::Any))))
    }

    fn binary(self, at: At, operator: Operator, sides: &[Node; 2]) -> Checked {
        let (left, right) = (self.kind(&sides[0])?, self.kind(&sides[1])?);
        let refuse = |what: &str| {
            let part =
                if matches!(sides[0].what, What::Result) { (&sides[0], &left) } else { (&sides[1], &right) };
            Err(wrong(at, part.0, part.1, what))
        };
        let numbers = |kind: &Kind| !kind.is_known() || kind.is_number();
        let texts = |kind: &Kind| !kind.is_known() || *kind == Kind::Text;
        let both = |is: &dyn Fn(&Kind) -> bool| is(&left) && is(&right);
        match operator {
            Operator::Equal | Operator::Unequal => {
                if !left.may_equal(&right) {
                    return refuse(&format!("{left} is never equal to {right}"));
                }
                Ok(Kind::Bool)
            }
            Operator::Less | Operator::LessOrEqual | Operator::More | Operator::MoreOrEqual => {
                if !both(&numbers) && !both(&texts) {
                    return refuse(&format!("`{}` cannot compare {left} with {right}", operator.text()));
                }
                Ok(Kind::Bool)
            }
            Operator::In => {
                let fits = match &right {
                    Kind::Any => true,
                    Kind::List(of) => left.may_equal(of),
                    Kind::Map => matches!(left, Kind::Any | Kind::Text | Kind::Nil),
                    Kind::Nil | Kind::Bool | Kind::Int | Kind::Float | Kind::Text => false,
                };
                if !fits {
                    return refuse(&format!("{left} cannot be in {right}"));
                }
                Ok(Kind::Bool)
            }
            Operator::Contains | Operator::StartsWith | Operator::EndsWith | Operator::Matches => {
                if !both(&texts) {
                    return refuse(&format!("`{}` needs two texts, not {left} and {right}", operator.text()));
                }
                Ok(Kind::Bool)
            }
            Operator::Add if both(&texts) && (left.is_known() || right.is_known()) => {
                Ok(if left == right { left } else { Kind::Any })
            }
            Operator::Remainder => {
                let integers = |kind: &Kind| matches!(kind, Kind::Any | Kind::Int);
                if !both(&integers) {
                    return refuse(&format!("`%` needs two whole numbers, not {left} and {right}"));
                }
                Ok(Kind::Int)
            }
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Power => {
                if !both(&numbers) {
                    let wanted =
                        if operator == Operator::Add { "two numbers or two texts" } else { "two numbers" };
                    return refuse(&format!("`{}` needs {wanted}, not {left} and {right}", operator.text()));
                }
                Ok(match operator {
                    Operator::Divide | Operator::Power => Kind::Float,
                    _ if !left.is_known() || !right.is_known() => Kind::Any,
                    _ if left == Kind::Int && right == Kind::Int => Kind::Int,
                    _ => Kind::Float,
                })
            }
            Operator::Coalesce => Ok(left.or(right)),
        }
    }

    fn path(self, base: &Node, links: &[Link]) -> Checked {
        let mut kind = self.kind(base)?;
        for link in links {
            kind = match link {
                Link::Field { at, name, .. } => match kind {
                    Kind::Any | Kind::Map => Kind::Any,
                    Kind::Nil | Kind::Bool | Kind::Int | Kind::Float | Kind::Text | Kind::List(_) => {
                        return Err(wrong(*at, base, &kind, &format!("{kind} has no field `{name}`")));
                    }
                },
                Link::Index { at, index } => {
                    let by = self.kind(index)?;
                    match kind {
                        Kind::List(of) if !by.excludes(Kind::is_number) => *of,
                        Kind::Map if !by.excludes(|by| *by == Kind::Text) => Kind::Any,
                        Kind::Any => Kind::Any,
                        Kind::List(_) | Kind::Map => {
                            let what = format!("{by} is no index of {kind}");
                            return Err(wrong(*at, base, &kind, &what));
                        }
                        Kind::Nil | Kind::Bool | Kind::Int | Kind::Float | Kind::Text => {
                            return Err(wrong(*at, base, &kind, &format!("{kind} has no elements")));
                        }
                    }
                }
            };
        }
        Ok(kind)
    }

    fn call(self, at: At, function: Function, arguments: &[Node]) -> Checked {
        let Some(first) = arguments.first() else { return Ok(Kind::Any) };
        let kind = self.kind(first)?;
        let name = function.name();
        let refuse = |wanted: &str| {
            let what = format!("`{name}` needs {wanted}, not {kind}");
            Err(wrong(at, first, &kind, &what))
        };
        if function.takes_predicate() {
            let of = match &kind {
                Kind::List(of) => (**of).clone(),
                Kind::Any => Kind::Any,
                Kind::Nil | Kind::Bool | Kind::Int | Kind::Float | Kind::Text | Kind::Map => {
                    return refuse("a list");
                }
            };
            return self.predicate(function, &of, arguments.get(1));
        }
        let rest = arguments.get(1..).unwrap_or_default();
        match function {
            Function::Len => {
                if kind.excludes(|kind| matches!(kind, Kind::List(_) | Kind::Text | Kind::Map)) {
                    return refuse("a list, a text or a map");
                }
                Ok(Kind::Int)
            }
            Function::IsNan | Function::IsInf => {
                if kind.excludes(Kind::is_number) {
                    return refuse("a number");
                }
                Ok(Kind::Bool)
            }
            Function::IsNil => Ok(Kind::Bool),
            Function::Default => {
                rest.iter().try_for_each(|argument| self.kind(argument).map(|_| ()))?;
                Ok(Kind::Any)
            }
            Function::AsInt => Ok(Kind::Int),
            Function::AsFloat => Ok(Kind::Float),
            Function::Max | Function::Min | Function::Mean => {
                for argument in arguments {
                    let kind = self.kind(argument)?;
                    if kind.excludes(|kind| kind.is_number() || matches!(kind, Kind::List(_))) {
                        let what = format!("`{name}` needs numbers or lists of them, not {kind}");
                        return Err(wrong(at, argument, &kind, &what));
                    }
                }
                let one = rest.is_empty() && kind.is_number() && function != Function::Mean;
                Ok(if function == Function::Mean {
                    Kind::Float
                } else if one {
                    kind
                } else {
                    Kind::Any
                })
            }
            Function::Sum | Function::First | Function::Last => match kind {
                Kind::List(of) => Ok(*of),
                Kind::Any => Ok(Kind::Any),
                Kind::Nil | Kind::Bool | Kind::Int | Kind::Float | Kind::Text | Kind::Map => refuse("a list"),
            },
            Function::HasPrefix | Function::HasSuffix => {
                arguments.iter().try_for_each(|argument| self.text(argument, &format!("`{name}`")))?;
                Ok(Kind::Bool)
            }
            Function::All
            | Function::Any
            | Function::None
            | Function::One
            | Function::Filter
            | Function::Count
            | Function::Map => Ok(Kind::Any),
        }
    }

    fn predicate(self, function: Function, of: &Kind, predicate: Option<&Node>) -> Checked {
        let Some(predicate) = predicate else { return Ok(Kind::Any) };
        let within = Checker { element: Some(of), ..self };
        if function == Function::Map {
            return Ok(Kind::List(Box::new(within.kind(predicate)?)));
        }
        within.bool(predicate, "a predicate")?;
        Ok(match function {
            Function::Filter => Kind::List(Box::new(of.clone())),
            Function::Count => Kind::Int,
            _ => Kind::Bool,
        })
    }
}

/// An error about a part of the wrong type.
fn wrong(at: At, part: &Node, kind: &Kind, what: &str) -> ConditionError {
    let instead = match (&part.what, kind) {
        (What::Result, kind) => about_result(kind),
        (_, Kind::Nil) => "write a check before it, such as `x != nil && …`".into(),
        (_, Kind::Text) => "write `asFloat(…)` for the number in a text".into(),
        _ => String::from("write values of one type"),
    };
    ConditionError::new(at, String::from(what), instead)
}
