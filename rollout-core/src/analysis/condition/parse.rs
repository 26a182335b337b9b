//! From words to expressions.

use super::{
    MAX_DEPTH,
    cursor::Parser,
    error::{At, ConditionError, shortened},
    functions::{self, Function},
    lex::{Word, words},
    node::{Link, Node, Operator, What},
    pattern::Pattern,
};
use crate::nearest::nearest;
use alloc::{boxed::Box, format, vec, vec::Vec};

type Parsed = Result<Node, ConditionError>;

/// How tightly `||`, `&&`, `!` and `-` bind.
const OR: u8 = 10;
const AND: u8 = 15;
const NOT: u8 = 50;
const SIGN: u8 = 90;

/// Whether a word is an operator, and never a name.
fn is_operator(word: &str) -> bool {
    matches!(word, "and" | "or" | "not") || Operator::of(word).is_some()
}

/// Parses a whole condition.
pub(super) fn parse(text: &str) -> Parsed {
    let (words, end) = words(text)?;
    let mut parser = Parser { words: words.into_iter().peekable(), end, open: 0, predicates: 0 };
    let node = parser.whole(0)?;
    if parser.takes(";") && parser.peek().is_some() {
        let at = parser.at();
        return Err(match parser.peek() {
            Some(Word::Sign(")" | "]" | "}" | ",")) => parser.unexpected(),
            _ => ConditionError::unsupported(
                at,
                "several expressions are not supported",
                "write one, with `&&`",
            ),
        });
    }
    if parser.peek().is_some() { Err(parser.unexpected()) } else { Ok(node) }
}

impl Parser {
    /// An operator that may follow an expression, with how tightly it binds and whether `not` stands before it.
    fn operator(&mut self) -> Option<(&'static str, Option<Operator>, u8)> {
        match self.peek()? {
            Word::Sign("||") => Some(("||", None, OR)),
            Word::Sign("&&") => Some(("&&", None, AND)),
            Word::Sign(sign) => {
                Operator::of(sign).map(|(operator, binds)| (operator.text(), Some(operator), binds))
            }
            Word::Name(name) if name == "or" => Some(("||", None, OR)),
            Word::Name(name) if name == "and" => Some(("&&", None, AND)),
            // The word after `not` decides, and is checked there.
            Word::Name(name) if name == "not" => Some(("not", None, 20)),
            Word::Name(name) => {
                Operator::of(name).map(|(operator, binds)| (operator.text(), Some(operator), binds))
            }
            Word::Int(_) | Word::Float(_) | Word::Text(_) => None,
        }
    }

    /// An expression with its choice: `a ? b : c` binds loosest.
    fn whole(&mut self, binds: u8) -> Parsed {
        self.open = self.open.saturating_add(1);
        let node = if self.open > MAX_DEPTH { Err(too_deep(self.at())) } else { self.expression(binds) };
        self.open = self.open.saturating_sub(1);
        node
    }

    fn expression(&mut self, binds: u8) -> Parsed {
        let mut left = self.primary()?;
        let mut coalesced = false;
        while let Some((text, operator, tightness)) = self.operator().filter(|(_, _, tight)| *tight >= binds)
        {
            let at = self.at();
            if coalesced && text != "??" {
                let instead = "write `(a ?? b)` in parentheses";
                return Err(ConditionError::unsupported(at, format!("`??` beside `{text}`"), instead));
            }
            self.words.next();
            let negated = text == "not";
            let operator = if negated { Some(self.negated()?) } else { operator };
            left = match operator {
                None => {
                    let right = self.whole(tightness.saturating_add(1))?;
                    chain(text == "&&", left, right)?
                }
                Some(operator) => {
                    let right_binds =
                        if operator == Operator::Power { tightness } else { tightness.saturating_add(1) };
                    let right = self.whole(right_binds)?;
                    binary(at, operator, left, right)?
                }
            };
            if negated {
                left = node(at, left.depth, What::Not(Box::new(left)))?;
            }
            coalesced = text == "??";
        }
        if binds == 0 { self.choice(left) } else { Ok(left) }
    }

    fn negated(&mut self) -> Result<Operator, ConditionError> {
        let operator =
            self.operator().and_then(|(_, operator, _)| operator).filter(|operator| operator.is_word());
        let Some(operator) = operator else { return Err(self.unexpected()) };
        self.words.next();
        Ok(operator)
    }

    fn choice(&mut self, condition: Node) -> Parsed {
        let at = self.at();
        if self.takes("?:") {
            let instead = "write `a ? a : b`";
            return Err(ConditionError::unsupported(at, "`?:` is not supported", instead));
        }
        if !self.takes("?") {
            return Ok(condition);
        }
        let then = self.whole(0)?;
        self.expect(":")?;
        let otherwise = self.whole(0)?;
        let depth = condition.depth.max(then.depth).max(otherwise.depth);
        node(at, depth, What::Choice(Box::new([condition, then, otherwise])))
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        if self.takes("!") || self.takes_name("not") {
            let inner = self.whole(NOT)?;
            let not = node(at, inner.depth, What::Not(Box::new(inner)))?;
            return self.path(not);
        }
        if self.takes("-") {
            let inner = self.whole(SIGN)?;
            let minus = node(at, inner.depth, What::Minus(Box::new(inner)))?;
            return self.path(minus);
        }
        if self.takes("+") {
            let inner = self.whole(SIGN)?;
            let plus = node(at, inner.depth, What::Plus(Box::new(inner)))?;
            return self.path(plus);
        }
        if self.takes("(") {
            let inner = self.whole(0)?;
            self.expect(")")?;
            return self.path(inner);
        }
        if self.takes("[") {
            let items = self.list("]")?;
            let list = node(at, deepest(&items), What::List(items))?;
            return self.path(list);
        }
        if self.takes("{") {
            return Err(ConditionError::unsupported(at, "maps that are written out are not supported", ""));
        }
        if matches!(self.peek(), Some(Word::Sign("#" | "."))) {
            return self.element();
        }
        let leaf = match self.peek() {
            Some(Word::Name(_)) => return self.name(),
            Some(Word::Int(number)) => What::Int(*number),
            Some(Word::Float(number)) => What::Float(*number),
            Some(Word::Text(text)) => What::Text(text.clone()),
            Some(Word::Sign(_)) | None => return Err(self.unexpected()),
        };
        self.words.next();
        let leaf = node(at, 0, leaf)?;
        // A number has no fields or elements.
        if matches!(leaf.what, What::Text(_)) { self.path(leaf) } else { Ok(leaf) }
    }

    /// `#`, or `.field` of it.
    fn element(&mut self) -> Parsed {
        let at = self.at();
        if self.predicates == 0 {
            let instead = "write it in the predicate of `all(result, # < 1)` or the like";
            return Err(ConditionError::new(at, "there is no element to look at here", instead));
        }
        if self.takes("#")
            && let Some(Word::Name(name)) = self.peek()
            && !is_operator(name)
        {
            let what = format!("`#{}` is not supported", shortened(name));
            return Err(ConditionError::unsupported(at, what, "write `#`, the element"));
        }
        let element = node(at, 0, What::Element)?;
        self.path(element)
    }

    fn name(&mut self) -> Parsed {
        let at = self.at();
        let Some(Word::Name(name)) = self.words.next().map(|placed| placed.word) else {
            return Err(self.unexpected());
        };
        if self.takes("(") {
            let call = self.call(at, &name)?;
            return self.path(call);
        }
        let what = match name.as_str() {
            "nil" => What::Nil,
            "true" => What::Bool(true),
            "false" => What::Bool(false),
            "result" => What::Result,
            _ => return Err(unknown(at, &name)),
        };
        let leaf = node(at, 0, what)?;
        self.path(leaf)
    }

    fn call(&mut self, at: At, name: &str) -> Parsed {
        let Some(function) = Function::of(name) else { return Err(unknown(at, name)) };
        let arguments =
            if function.takes_predicate() { self.with_predicate(at, function)? } else { self.list(")")? };
        let (least, most) = function.arguments();
        if arguments.len() < least || arguments.len() > most {
            let what = format!("`{name}` does not take {} arguments", arguments.len());
            let instead = format!("write `{}`", function.usage());
            // Some functions take a predicate or more elsewhere.
            let elsewhere = matches!(function, Function::Sum) && arguments.len() == 2;
            return Err(if elsewhere {
                ConditionError::unsupported(at, what, instead)
            } else {
                ConditionError::new(at, what, instead)
            });
        }
        node(at, deepest(&arguments), What::Call(function, arguments))
    }

    fn with_predicate(&mut self, at: At, function: Function) -> Result<Vec<Node>, ConditionError> {
        let list = self.whole(0)?;
        if !self.takes(",") {
            let instead = format!("write `{}`", function.usage());
            let what = format!("`{}` without a predicate", function.name());
            let error = if function == Function::Count && matches!(self.peek(), Some(Word::Sign(")"))) {
                ConditionError::unsupported(at, what, instead)
            } else {
                ConditionError::new(at, what, instead)
            };
            return Err(error);
        }
        self.predicates = self.predicates.saturating_add(1);
        let braces = self.takes("{");
        let predicate = self.whole(0)?;
        if braces {
            self.expect("}")?;
        }
        self.predicates = self.predicates.saturating_sub(1);
        self.takes(",");
        self.expect(")")?;
        Ok(vec![list, predicate])
    }

    /// Expressions with commas between them, up to `end`. A comma may stand after the last one.
    fn list(&mut self, end: &'static str) -> Result<Vec<Node>, ConditionError> {
        let mut items = Vec::new();
        while !self.takes(end) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.takes(end) {
                    break;
                }
            }
            items.push(self.whole(0)?);
        }
        Ok(items)
    }

    /// The fields and elements after an expression.
    fn path(&mut self, base: Node) -> Parsed {
        let mut links = Vec::new();
        let mut depth = base.depth;
        loop {
            let at = self.at();
            let optional = self.takes("?.");
            let implied = links.is_empty() && matches!(base.what, What::Element);
            if optional || self.takes(".") {
                let Some(Word::Name(name)) = self.peek().cloned() else {
                    return Err(if optional && matches!(self.peek(), Some(Word::Sign("["))) {
                        ConditionError::unsupported(
                            at,
                            "`?.[` is not supported",
                            "write `[…]` behind a check",
                        )
                    } else if implied && !optional {
                        self.unexpected()
                    } else {
                        ConditionError::new(
                            at,
                            "a name must follow the dot",
                            "write a field, such as `result.status`",
                        )
                    });
                };
                self.words.next();
                if matches!(self.peek(), Some(Word::Sign("("))) {
                    let what = format!("`.{}(…)` is not supported", shortened(&name));
                    return Err(ConditionError::unsupported(
                        at,
                        what,
                        "a value has fields, but no functions",
                    ));
                }
                links.push(Link::Field { at, name, optional });
            } else if self.takes("[") {
                if self.takes(":") {
                    return Err(slice(at));
                }
                let index = self.whole(0)?;
                if matches!(self.peek(), Some(Word::Sign(":"))) {
                    return Err(slice(at));
                }
                self.expect("]")?;
                depth = depth.max(index.depth);
                links.push(Link::Index { at, index });
            } else if links.is_empty() {
                return Ok(base);
            } else {
                return node(base.at, depth, What::Path(Box::new(base), links));
            }
        }
    }
}

fn slice(at: At) -> ConditionError {
    ConditionError::unsupported(
        at,
        "parts of a list are not supported",
        "write one index, such as `result[0]`",
    )
}

fn unknown(at: At, name: &str) -> ConditionError {
    let short = shortened(name);
    if functions::is_unsupported(name) {
        return ConditionError::unsupported(at, format!("`{short}` is not supported"), "");
    }
    let known: Vec<&str> = ["result", "true", "false", "nil"].into_iter().chain(functions::names()).collect();
    let instead = match nearest(name, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write `result`, which is what the provider answered".into(),
    };
    ConditionError::new(at, format!("nothing is called `{short}`"), instead)
}

fn too_deep(at: At) -> ConditionError {
    ConditionError::new(at, format!("nested more than {MAX_DEPTH} deep"), "write a simpler condition")
}

fn deepest(nodes: &[Node]) -> u32 {
    nodes.iter().map(|node| node.depth).max().unwrap_or(0)
}

/// An expression around others, the deepest of which is `inner` deep.
fn node(at: At, inner: u32, what: What) -> Parsed {
    let depth = inner.saturating_add(1);
    if depth > MAX_DEPTH { Err(too_deep(at)) } else { Ok(Node { at, what, depth }) }
}

/// Joins two sides of `&&` or `||`; a row of them is one expression.
fn chain(both: bool, left: Node, right: Node) -> Parsed {
    let at = left.at;
    let (mut sides, depth) = match (both, left.what) {
        (true, What::All(sides)) | (false, What::Any(sides)) => (sides, left.depth.saturating_sub(1)),
        (_, what) => (vec![Node { what, ..left }], left.depth),
    };
    let depth = depth.max(right.depth);
    sides.push(right);
    node(at, depth, if both { What::All(sides) } else { What::Any(sides) })
}

fn binary(at: At, operator: Operator, left: Node, right: Node) -> Parsed {
    let depth = left.depth.max(right.depth);
    let what = match (operator, &right.what) {
        (Operator::Matches, What::Text(pattern)) => {
            What::Matches(Box::new(left), Pattern::new(pattern).map_err(|error| error.at(right.at))?)
        }
        _ => What::Binary(operator, Box::new([left, right])),
    };
    node(at, depth, what)
}
