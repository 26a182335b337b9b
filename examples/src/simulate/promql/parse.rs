//! From the text of a query to what is evaluated.

use super::{
    Grouping, Matcher, Matching, Operator, Query, Selector,
    functions::{self, is_aggregation},
    lex::{Token, tokens},
};

/// The longest query, in bytes, and the most that stand in each other.
const LONGEST: usize = 16 << 10;
const DEEPEST: usize = 64;
const MOST_OPERATORS: usize = 200;

const SUBQUERY: &str = "a subquery is not evaluated in a simulation";

/// The binary operators: the later ones hold more tightly.
const LEVELS: [&[&str]; 6] =
    [&["or"], &["and", "unless"], &["==", "!=", "<=", "<", ">=", ">"], &["+", "-"], &["*", "/", "%"], &["^"]];

/// Reads a query.
///
/// # Errors
/// It is none, or not of the part of the language that is evaluated here.
pub(crate) fn parse(text: &str) -> Result<Query, String> {
    if text.len() > LONGEST {
        return Err(format!("a query of more than {} KiB is not evaluated", LONGEST >> 10));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, operators: 0 };
    let query = parser.binary(0)?;
    match parser.peek() {
        None => Ok(query),
        Some(token) => Err(format!("{} is not expected here", shown(token))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// How many operators there are: each of a row stands in the next one.
    operators: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(other)) if *other == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Name(name)) if name.eq_ignore_ascii_case(word));
        self.at += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(format!("`{sign}` is missing before {}", self.peek().map_or("the end".to_owned(), shown)))
    }

    fn binary(&mut self, level: usize) -> Result<Query, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|word| self.takes(word) || self.takes_word(word)) {
            self.operators += 1;
            if self.operators > MOST_OPERATORS {
                return Err(format!("more than {MOST_OPERATORS} operators are not evaluated"));
            }
            let bool = self.takes_word("bool");
            if bool && LEVELS.get(2).is_some_and(|comparisons| !comparisons.contains(operator)) {
                return Err("`bool` only stands behind a comparison".to_owned());
            }
            let matching = self.matching()?;
            // A power holds to the right: 2^3^2 is 2^9.
            let right = if *operator == "^" {
                self.deeper(|parser| parser.binary(level))?
            } else {
                self.binary(level + 1)?
            };
            let (left_side, right) = (Box::new(left), Box::new(right));
            left = Query::Binary { operator: (*operator).to_owned(), bool, matching, left: left_side, right };
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Matching, String> {
        let matching = if self.takes_word("on") {
            Matching::On(self.labels()?)
        } else if self.takes_word("ignoring") {
            Matching::Ignoring(self.labels()?)
        } else {
            Matching::All
        };
        if self.takes_word("group_left") || self.takes_word("group_right") {
            return Err("`group_left` and `group_right` are not evaluated in a simulation".to_owned());
        }
        Ok(matching)
    }

    fn unary(&mut self) -> Result<Query, String> {
        self.deeper(|parser| {
            if parser.takes("-") {
                // A power holds more tightly than a sign.
                return Ok(Query::Negative(Box::new(parser.binary(LEVELS.len() - 1)?)));
            }
            if parser.takes("+") { parser.unary() } else { parser.primary() }
        })
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<Query, String>) -> Result<Query, String> {
        if self.depth >= DEEPEST {
            return Err(format!("more than {DEEPEST} expressions stand in each other"));
        }
        self.depth += 1;
        let query = read(self);
        self.depth -= 1;
        query
    }

    fn primary(&mut self) -> Result<Query, String> {
        match self.take() {
            Some(Token::Number(number)) => Ok(Query::Number(number)),
            Some(Token::Sign("(")) => {
                let query = self.binary(0)?;
                self.expect(")")?;
                match self.peek() {
                    Some(Token::Sign("[")) => Err(SUBQUERY.to_owned()),
                    _ => Ok(query),
                }
            }
            Some(Token::Sign("{")) => {
                self.at -= 1;
                self.selector(String::new())
            }
            Some(Token::Name(name)) if is_aggregation(&name) => self.aggregate(name.to_ascii_lowercase()),
            Some(Token::Name(name)) if matches!(self.peek(), Some(Token::Sign("("))) => self.call(name),
            Some(Token::Name(name)) => self.selector(name),
            Some(token) => Err(format!("{} is not expected here", shown(&token))),
            None if self.tokens.is_empty() => Err("the query is empty".to_owned()),
            None => Err("the query ends too early".to_owned()),
        }
    }

    fn call(&mut self, function: String) -> Result<Query, String> {
        let arguments = self.arguments()?;
        functions::check(&function, &arguments)?;
        Ok(Query::Call { function, arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Query>, String> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.takes(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if !self.takes(",") {
                self.expect(")")?;
                break;
            }
        }
        match self.peek() {
            Some(Token::Sign("[")) => Err(SUBQUERY.to_owned()),
            _ => Ok(arguments),
        }
    }

    fn aggregate(&mut self, operator: String) -> Result<Query, String> {
        let before = self.grouping()?;
        let mut arguments = self.arguments()?;
        let by = match before {
            Some(by) => Some(by),
            None => self.grouping()?,
        };
        match (arguments.pop(), arguments.is_empty()) {
            (Some(of), true) => {
                Ok(Query::Aggregate { operator, by: by.unwrap_or_default(), of: Box::new(of) })
            }
            _ => Err(format!("`{operator}` takes one argument")),
        }
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, String> {
        let without = match (self.takes_word("by"), self.takes_word("without")) {
            (true, _) => false,
            (_, true) => true,
            _ => return Ok(None),
        };
        Ok(Some(Grouping { without, labels: self.labels()? }))
    }

    fn labels(&mut self) -> Result<Vec<String>, String> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.takes(")") {
            let Some(Token::Name(label)) = self.take() else {
                return Err("the name of a label is missing".to_owned());
            };
            labels.push(name_of_label(label)?);
            if !self.takes(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(labels)
    }

    fn selector(&mut self, mut metric: String) -> Result<Query, String> {
        let mut matchers = Vec::new();
        if self.takes("{") {
            while !self.takes("}") {
                matchers.push(self.matcher()?);
                if !self.takes(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        if let Some(at) = matchers.iter().position(|matcher| matcher.label == "__name__") {
            let named = matchers.remove(at);
            if named.operator != Operator::Is || !metric.is_empty() {
                return Err("`__name__` is evaluated only as {__name__=\"NAME\"}".to_owned());
            }
            metric = named.value;
        }
        if metric.is_empty() {
            return Err("a selector without the name of a metric is not evaluated in a simulation".to_owned());
        }
        let range = if self.takes("[") {
            let range = self.time()?;
            if self.takes(":") {
                return Err(SUBQUERY.to_owned());
            }
            self.expect("]")?;
            Some(range)
        } else {
            None
        };
        let offset = if self.takes_word("offset") { self.time()? } else { 0 };
        Ok(Query::Select(Selector { metric, matchers, range, offset }))
    }

    fn time(&mut self) -> Result<i64, String> {
        match self.take() {
            Some(Token::Time(time)) if time > 0 => Ok(time),
            Some(token) => Err(format!("{} is not a time; write it like 5m", shown(&token))),
            None => Err("a time is missing; write it like 5m".to_owned()),
        }
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let (Some(Token::Name(label)), Some(Token::Sign(sign)), Some(Token::Text(value))) =
            (self.take(), self.take(), self.take())
        else {
            return Err("a condition on a label is not like name=\"value\"".to_owned());
        };
        let operator = match sign {
            "=" => Operator::Is,
            "!=" => Operator::IsNot,
            "=~" => Operator::Matches,
            "!~" => Operator::MatchesNot,
            other => return Err(format!("`{other}` cannot stand between a label and a value")),
        };
        Matcher::new(name_of_label(label)?, operator, value)
    }
}

/// A metric may have a colon in its name, and a label may not.
fn name_of_label(label: String) -> Result<String, String> {
    if label.contains(':') {
        Err(format!("`{label}` cannot be the name of a label: it has a colon"))
    } else {
        Ok(label)
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Number(number) => format!("`{number}`"),
        Token::Time(time) => format!("a time of {time} ms"),
        Token::Text(text) => format!("{text:?}"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}
