//! Runs a condition that was checked.

use super::{
    MAX_STEPS,
    error::{At, ConditionError},
    functions::Function,
    kind::about_result,
    node::{Link, Node, Operator, What},
    operate,
    value::{Item, Value},
};
use alloc::{format, string::String, vec::Vec};
use core::cell::Cell;

type Evaluated<'v> = Result<Item<'v>, ConditionError>;

/// One run of a condition.
pub(super) struct Run<'v> {
    pub(super) value: &'v Value,
    steps: Cell<u32>,
}

/// Runs a whole condition.
pub(super) fn run(node: &Node, value: &Value) -> Result<bool, ConditionError> {
    run_within(node, value, MAX_STEPS)
}

/// Runs a whole condition in at most so many steps.
pub(super) fn run_within(node: &Node, value: &Value, steps: u32) -> Result<bool, ConditionError> {
    let run = Run { value, steps: Cell::new(steps) };
    let item = run.item(node, None)?;
    if let Item::Bool(verdict) = item {
        return Ok(verdict);
    }
    let what = format!("a condition must be true or false, this is {}", item.described());
    Err(ConditionError::new(node.at, what, "write a comparison, such as `result[0] >= 0.95`"))
}

impl<'v> Run<'v> {
    /// Takes steps from what a condition may use.
    pub(super) fn spend(&self, at: At, steps: u32) -> Result<(), ConditionError> {
        let Some(left) = self.steps.get().checked_sub(steps) else {
            let what = format!("this takes more than {MAX_STEPS} steps");
            return Err(ConditionError::new(at, what, "write a simpler condition, or ask for fewer values"));
        };
        self.steps.set(left);
        Ok(())
    }

    fn item(&self, node: &Node, element: Option<&Item<'v>>) -> Evaluated<'v> {
        self.spend(node.at, 1)?;
        Ok(match &node.what {
            What::Nil => Item::Nil,
            What::Bool(value) => Item::Bool(*value),
            What::Int(number) => Item::Int(*number),
            What::Float(number) => Item::Float(*number),
            What::Text(text) => {
                self.spend(node.at, cost(text.len()))?;
                Item::Text(text.clone().into())
            }
            What::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.item(item, element)).collect();
                Item::List(items?.into())
            }
            What::Result => Item::of(self.value),
            What::Element => element.cloned().unwrap_or(Item::Nil),
            What::Not(inner) => Item::Bool(!self.bool(inner, element)?),
            What::Minus(inner) => match self.item(inner, element)? {
                Item::Int(number) => Item::Int(number.wrapping_neg()),
                Item::Float(number) => Item::Float(-number),
                other => return Err(wrong(node.at, "a sign needs a number", &other)),
            },
            What::Plus(inner) => match self.item(inner, element)? {
                number @ (Item::Int(_) | Item::Float(_)) => number,
                other => return Err(wrong(node.at, "a sign needs a number", &other)),
            },
            What::All(sides) => {
                for side in sides {
                    if !self.bool(side, element)? {
                        return Ok(Item::Bool(false));
                    }
                }
                Item::Bool(true)
            }
            What::Any(sides) => {
                for side in sides {
                    if self.bool(side, element)? {
                        return Ok(Item::Bool(true));
                    }
                }
                Item::Bool(false)
            }
            What::Binary(operator, sides) => {
                let [left, right] = &**sides;
                let left = self.item(left, element)?;
                if *operator == Operator::Coalesce {
                    return if matches!(left, Item::Nil) { self.item(right, element) } else { Ok(left) };
                }
                // A list of texts that is written out is looked into as a set of texts.
                let only_texts = *operator == Operator::In
                    && matches!(&right.what, What::List(items) if is_texts(items))
                    && !matches!(left, Item::Text(_) | Item::Nil);
                if only_texts {
                    return Err(wrong(node.at, "a list of texts has no other values", &left));
                }
                let right = self.item(right, element)?;
                operate::binary(self, node.at, *operator, left, right)?
            }
            What::Matches(left, pattern) => match self.item(left, element)? {
                Item::Text(text) => {
                    self.spend(node.at, pattern.cost(&text))?;
                    Item::Bool(pattern.finds(&text))
                }
                Item::Nil => Item::Bool(false),
                other => return Err(wrong(node.at, "`matches` needs a text", &other)),
            },
            What::Choice(parts) => {
                let [condition, then, otherwise] = &**parts;
                let chosen = if self.bool(condition, element)? { then } else { otherwise };
                return self.item(chosen, element);
            }
            What::Path(base, links) => self.path(base, links, element)?,
            What::Call(function, arguments) => self.call(node.at, *function, arguments, element)?,
        })
    }

    fn bool(&self, node: &Node, element: Option<&Item<'v>>) -> Result<bool, ConditionError> {
        match self.item(node, element)? {
            Item::Bool(value) => Ok(value),
            other => Err(wrong(node.at, "true or false is needed", &other)),
        }
    }

    fn path(&self, base: &Node, links: &[Link], element: Option<&Item<'v>>) -> Evaluated<'v> {
        let mut item = self.item(base, element)?;
        for link in links {
            item = match link {
                Link::Field { optional: true, .. } if matches!(item, Item::Nil) => return Ok(Item::Nil),
                Link::Field { at, name, .. } => match item {
                    Item::Map(map) => map.get(name).map_or(Item::Nil, Item::json),
                    other => return Err(wrong(*at, &format!("there is no field `{name}`"), &other)),
                },
                Link::Index { at, index } => {
                    let index = self.item(index, element)?;
                    self.indexed(*at, &item, &index)?
                }
            };
        }
        Ok(item)
    }

    fn indexed(&self, at: At, item: &Item<'v>, index: &Item<'v>) -> Evaluated<'v> {
        if let (Item::Map(map), Item::Text(key)) = (item, index) {
            return Ok(map.get(&**key).map_or(Item::Nil, Item::json));
        }
        let (Some(len), Some(number)) = (item.len(), index.number()) else {
            let what = format!("{} is no index of {}", index.described(), item.described());
            return Err(ConditionError::new(at, what, "write a number for a list, and a text for a map"));
        };
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "a float as an index is cut, as Go does")]
        let number = if let Item::Int(number) = index { *number } else { number as i64 };
        let from_start = if number < 0 { number.saturating_add(len) } else { number };
        let found = usize::try_from(from_start).ok().and_then(|index| item.element(index));
        found.ok_or_else(|| {
            let what = match len {
                0 if self.value.is_empty() => {
                    String::from("the provider answered no data: the list is empty")
                }
                len => format!("index {number} is out of range: the list has {len}"),
            };
            ConditionError::new(
                at,
                what,
                format!("write `len(…) > {} && …` before it", number.unsigned_abs()),
            )
        })
    }

    fn call(
        &self,
        at: At,
        function: Function,
        arguments: &[Node],
        element: Option<&Item<'v>>,
    ) -> Evaluated<'v> {
        let Some(first) = arguments.first() else { return Ok(Item::Nil) };
        if function.takes_predicate() {
            let list = self.item(first, element)?;
            let Some(predicate) = arguments.get(1) else { return Ok(Item::Nil) };
            return self.predicate(at, function, &list, predicate);
        }
        let nothing = matches!(Item::of(self.value), Item::Nil);
        Ok(match function {
            Function::IsNil => {
                self.item(first, element)?;
                Item::Bool(nothing)
            }
            Function::Default => {
                let (item, otherwise) = (self.item(first, element)?, arguments.get(1));
                let otherwise = otherwise.map_or(Ok(Item::Nil), |node| self.item(node, element))?;
                let _ = item;
                if nothing { otherwise } else { Item::of(self.value) }
            }
            _ => {
                let arguments: Result<Vec<_>, _> =
                    arguments.iter().map(|argument| self.item(argument, element)).collect();
                operate::call(self, at, function, &arguments?)?
            }
        })
    }

    fn predicate(&self, at: At, function: Function, list: &Item<'v>, predicate: &Node) -> Evaluated<'v> {
        let Some(len) = list.len() else {
            return Err(wrong(at, &format!("`{}` needs a list", function.name()), list));
        };
        let elements = (0..len).filter_map(|index| list.element(index));
        if function == Function::Map {
            let mapped: Result<Vec<_>, _> = elements.map(|item| self.item(predicate, Some(&item))).collect();
            return Ok(Item::List(mapped?.into()));
        }
        let mut found: i64 = 0;
        let mut kept = Vec::new();
        for item in elements {
            let holds = self.bool(predicate, Some(&item))?;
            match (function, holds) {
                (Function::Any, true) => return Ok(Item::Bool(true)),
                (Function::All, false) | (Function::None, true) => return Ok(Item::Bool(false)),
                (Function::Filter, true) => kept.push(item),
                _ => {}
            }
            found = found.saturating_add(i64::from(holds));
        }
        Ok(match function {
            Function::Any => Item::Bool(false),
            Function::One => Item::Bool(found == 1),
            Function::Filter => Item::List(kept.into()),
            Function::Count => Item::Int(found),
            _ => Item::Bool(true),
        })
    }
}

fn is_texts(items: &[Node]) -> bool {
    !items.is_empty() && items.iter().all(|item| matches!(item.what, What::Text(_)))
}

/// How many steps it takes to look at a text.
pub(super) fn cost(bytes: usize) -> u32 {
    u32::try_from(bytes / 256).unwrap_or(u32::MAX)
}

pub(super) fn wrong(at: At, what: &str, found: &Item<'_>) -> ConditionError {
    let what = format!("{what}, this is {}", found.described());
    let instead = match found {
        Item::Nil => "write a check before it, such as `x != nil && …`".into(),
        Item::Text(_) => String::from("write `asFloat(…)` for the number in a text"),
        _ => String::from("write values of one type"),
    };
    ConditionError::new(at, what, instead)
}

/// Names what is wrong with the answer itself.
pub(super) fn no_data(value: &Value) -> Option<String> {
    value.is_empty().then(|| about_result(&value.kind()))
}
