//! What operators and functions do with values.

use super::{
    error::{At, ConditionError, shortened},
    eval::{Run, cost, wrong},
    functions::Function,
    literal,
    node::Operator,
    pattern::Pattern,
    value::Item,
};
use alloc::{borrow::Cow, format, string::String};
use core::cmp::Ordering;

type Evaluated<'v> = Result<Item<'v>, ConditionError>;

/// The longest text that a condition may make, in bytes.
const TEXT: usize = 1 << 20;

pub(super) fn binary<'v>(
    run: &Run<'v>,
    at: At,
    operator: Operator,
    left: Item<'v>,
    right: Item<'v>,
) -> Evaluated<'v> {
    match operator {
        Operator::Equal => equal(run, at, &left, &right).map(Item::Bool),
        Operator::Unequal => equal(run, at, &left, &right).map(|equal| Item::Bool(!equal)),
        Operator::Less | Operator::LessOrEqual | Operator::More | Operator::MoreOrEqual => {
            compare(run, at, operator, &left, &right).map(Item::Bool)
        }
        Operator::In => is_in(run, at, &left, &right).map(Item::Bool),
        Operator::Contains | Operator::StartsWith | Operator::EndsWith | Operator::Matches => {
            search(run, at, operator, &left, &right).map(Item::Bool)
        }
        Operator::Coalesce => Ok(if matches!(left, Item::Nil) { right } else { left }),
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder
        | Operator::Power => arithmetic(run, at, operator, &left, &right),
    }
}

/// Compares by value: numbers as numbers, lists and maps by what is in them. Different kinds are unequal.
#[expect(clippy::float_cmp, reason = "`==` of the language is exact")]
fn equal(run: &Run<'_>, at: At, left: &Item<'_>, right: &Item<'_>) -> Result<bool, ConditionError> {
    run.spend(at, 1)?;
    if let (Item::Int(a), Item::Int(b)) = (left, right) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (left.number(), right.number()) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (left.len(), right.len()) {
        if a != b {
            return Ok(false);
        }
        for index in 0..a {
            let (Some(a), Some(b)) = (left.element(index), right.element(index)) else { return Ok(false) };
            if !equal(run, at, &a, &b)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    match (left, right) {
        (Item::Nil, Item::Nil) => Ok(true),
        (Item::Bool(a), Item::Bool(b)) => Ok(a == b),
        (Item::Text(a), Item::Text(b)) => {
            run.spend(at, cost(a.len()))?;
            Ok(a == b)
        }
        (Item::Map(a), Item::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, value) in *a {
                let Some(other) = b.get(key) else { return Ok(false) };
                if !equal(run, at, &Item::json(value), &Item::json(other))? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn compare(
    run: &Run<'_>,
    at: At,
    operator: Operator,
    left: &Item<'_>,
    right: &Item<'_>,
) -> Result<bool, ConditionError> {
    let order = match (left, right) {
        (Item::Int(a), Item::Int(b)) => Some(a.cmp(b)),
        (Item::Text(a), Item::Text(b)) => {
            run.spend(at, cost(a.len()))?;
            Some(a.cmp(b))
        }
        _ => {
            let (Some(a), Some(b)) = (left.number(), right.number()) else {
                let what = format!("`{}` cannot compare {}", operator.text(), left.described());
                return Err(wrong(at, &format!("{what} with the other side"), right));
            };
            a.partial_cmp(&b)
        }
    };
    // Nothing is below, above or equal to NaN.
    let Some(order) = order else { return Ok(false) };
    Ok(match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::More => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn is_in(run: &Run<'_>, at: At, left: &Item<'_>, right: &Item<'_>) -> Result<bool, ConditionError> {
    if let Item::Map(map) = right {
        return match left {
            Item::Text(key) => Ok(map.contains_key(&**key)),
            Item::Nil => Ok(map.contains_key("")),
            other => Err(wrong(at, "a map has only texts as keys", other)),
        };
    }
    let Some(len) = right.len() else {
        return match right {
            Item::Nil => Ok(false),
            other => Err(wrong(at, "`in` needs a list or a map", other)),
        };
    };
    for index in 0..len {
        if let Some(element) = right.element(index)
            && equal(run, at, &element, left)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn search(
    run: &Run<'_>,
    at: At,
    operator: Operator,
    left: &Item<'_>,
    right: &Item<'_>,
) -> Result<bool, ConditionError> {
    if matches!(left, Item::Nil) || matches!(right, Item::Nil) {
        return Ok(false);
    }
    let name = operator.text();
    let (Some(text), Some(part)) = (left.text(), right.text()) else {
        let other = if left.text().is_none() { left } else { right };
        return Err(wrong(at, &format!("`{name}` needs two texts"), other));
    };
    run.spend(at, cost(text.len()))?;
    Ok(match operator {
        Operator::Contains => text.contains(part),
        Operator::StartsWith => text.starts_with(part),
        Operator::EndsWith => text.ends_with(part),
        _ => {
            run.spend(at, 1000)?;
            let pattern = Pattern::new(part).map_err(|error| error.at(at))?;
            run.spend(at, pattern.cost(text))?;
            pattern.finds(text)
        }
    })
}

fn arithmetic<'v>(
    run: &Run<'v>,
    at: At,
    operator: Operator,
    left: &Item<'v>,
    right: &Item<'v>,
) -> Evaluated<'v> {
    if let (Operator::Add, Item::Text(a), Item::Text(b)) = (operator, left, right) {
        let len = a.len().saturating_add(b.len());
        run.spend(at, cost(len))?;
        if len > TEXT {
            return Err(ConditionError::new(
                at,
                "the text becomes longer than 1 MiB",
                "write a simpler condition",
            ));
        }
        let mut joined = String::with_capacity(len);
        joined.push_str(a);
        joined.push_str(b);
        return Ok(Item::Text(Cow::Owned(joined)));
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else {
        let other = if left.number().is_none() { left } else { right };
        return Err(wrong(at, &format!("`{}` needs two numbers", operator.text()), other));
    };
    if operator == Operator::Remainder {
        let (a, b) = (integer(left, a), integer(right, b));
        return a
            .checked_rem(b)
            .or((b == -1).then_some(0))
            .map(Item::Int)
            .ok_or_else(|| ConditionError::new(at, "this divides by 0", "write another number after `%`"));
    }
    if let (Item::Int(a), Item::Int(b)) = (left, right) {
        match operator {
            Operator::Add => return Ok(Item::Int(a.wrapping_add(*b))),
            Operator::Subtract => return Ok(Item::Int(a.wrapping_sub(*b))),
            Operator::Multiply => return Ok(Item::Int(a.wrapping_mul(*b))),
            _ => {}
        }
    }
    Ok(Item::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Power => libm::pow(a, b),
        _ => a / b,
    }))
}

/// A number without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "cut towards 0, as Go does")]
fn integer(item: &Item<'_>, number: f64) -> i64 {
    if let Item::Int(number) = item { *number } else { number as i64 }
}

/// Calls a function that takes values.
pub(super) fn call<'v>(run: &Run<'v>, at: At, function: Function, arguments: &[Item<'v>]) -> Evaluated<'v> {
    let Some(first) = arguments.first() else { return Ok(Item::Nil) };
    let needs = |wanted: &str| wrong(at, &format!("`{}` needs {wanted}", function.name()), first);
    Ok(match function {
        Function::Len => {
            let len = match first {
                Item::Text(text) => {
                    run.spend(at, cost(text.len()))?;
                    text.chars().count()
                }
                Item::Map(map) => map.len(),
                other => other.len().ok_or_else(|| needs("a list, a text or a map"))?,
            };
            Item::Int(i64::try_from(len).unwrap_or(i64::MAX))
        }
        Function::IsNan => Item::Bool(first.number().ok_or_else(|| needs("a number"))?.is_nan()),
        Function::IsInf => Item::Bool(first.number().ok_or_else(|| needs("a number"))?.is_infinite()),
        Function::AsInt => match first {
            Item::Text(text) => {
                let number = text.parse().map_err(|_| no_number(at, "asInt", text))?;
                Item::Int(number)
            }
            number => Item::Int(integer(number, number.number().ok_or_else(|| needs("a number or a text"))?)),
        },
        Function::AsFloat => match first {
            Item::Text(text) => {
                Item::Float(literal::float(text).ok_or_else(|| no_number(at, "asFloat", text))?)
            }
            number => Item::Float(number.number().ok_or_else(|| needs("a number or a text"))?),
        },
        Function::First | Function::Last => {
            let len = first.len().ok_or_else(|| needs("a list"))?;
            let index = if function == Function::First { 0 } else { len.saturating_sub(1) };
            first.element(index).unwrap_or(Item::Nil)
        }
        Function::Max | Function::Min | Function::Sum | Function::Mean => {
            let mut total = Total::default();
            arguments.iter().try_for_each(|argument| total.add(run, at, function, argument))?;
            total.outcome(function)
        }
        Function::HasPrefix | Function::HasSuffix => {
            let (Some(text), Some(part)) = (first.text(), arguments.get(1).and_then(Item::text)) else {
                return Err(needs("two texts"));
            };
            Item::Bool(if function == Function::HasPrefix {
                text.starts_with(part)
            } else {
                text.ends_with(part)
            })
        }
        // These are evaluated where their arguments are.
        Function::All
        | Function::Any
        | Function::None
        | Function::One
        | Function::Filter
        | Function::Count
        | Function::Map
        | Function::IsNil
        | Function::Default => Item::Nil,
    })
}

fn no_number(at: At, function: &str, text: &str) -> ConditionError {
    let what = format!("`{function}` finds no number in {:?}", shortened(text));
    ConditionError::new(at, what, "compare it as a text, or check it first")
}

/// What `max`, `min`, `sum` and `mean` make of numbers.
#[derive(Default)]
struct Total<'v> {
    best: Option<Item<'v>>,
    sum: Option<Item<'v>>,
    count: u32,
}

impl<'v> Total<'v> {
    fn add(
        &mut self,
        run: &Run<'v>,
        at: At,
        function: Function,
        item: &Item<'v>,
    ) -> Result<(), ConditionError> {
        run.spend(at, 1)?;
        if let Some(len) = item.len() {
            for index in 0..len {
                if let Some(element) = item.element(index) {
                    self.add(run, at, function, &element)?;
                }
            }
            return Ok(());
        }
        let Some(number) = item.number() else {
            return Err(wrong(at, &format!("`{}` needs numbers", function.name()), item));
        };
        self.count = self.count.saturating_add(1);
        let replaces = match (function, self.best.as_ref().and_then(Item::number)) {
            (_, None) => true,
            (Function::Min, Some(best)) => number < best,
            (_, Some(best)) => best < number,
        };
        if replaces {
            self.best = Some(item.clone());
        }
        let before = self.sum.take().unwrap_or(Item::Int(0));
        self.sum = Some(arithmetic(run, at, Operator::Add, &before, item)?);
        Ok(())
    }

    fn outcome(self, function: Function) -> Item<'v> {
        let sum = self.sum.unwrap_or(Item::Int(0));
        match function {
            Function::Sum => sum,
            Function::Mean if self.count == 0 => Item::Float(0.0),
            Function::Mean => Item::Float(sum.number().unwrap_or(f64::NAN) / f64::from(self.count)),
            _ => self.best.unwrap_or(Item::Nil),
        }
    }
}
