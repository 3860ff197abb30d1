//! What the text of a statement shows.
//!
//! This is no parser: it finds the tables, the columns that are compared, and the order of simple
//! statements. What it does not recognize leads to no advice.

/// The facts of a statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) tables: Vec<Source>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<Sorted>,
    pub(super) has_limit: bool,
}

/// A table of the statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) table: String,
    pub(super) alias: String,
}

/// A column, with the alias of its table if the text has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) alias: Option<String>,
    pub(super) name: String,
}

/// A column that is compared with a value or with another column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) column: Column,
    pub(super) is_equality: bool,
}

/// A column of `ORDER BY`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sorted {
    pub(super) column: Column,
    pub(super) descends: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A word in upper case and as written.
    Word(String, String),
    /// A quoted name.
    Name(String),
    /// `$1` or `?`, with its number if it has one.
    Placeholder(Option<usize>),
    Text,
    Symbol(String),
}

/// The part of a statement that a token is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    Tables,
    Conditions,
    Order,
    Other,
}

/// Words that are not names of tables, columns or aliases.
const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CROSS",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FETCH",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OUTER",
    "RETURNING",
    "RIGHT",
    "SELECT",
    "SET",
    "SOME",
    "THEN",
    "TRUE",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// True for a statement that has a plan.
pub(super) fn is_explainable(sql: &str) -> bool {
    let first = tokens(sql).into_iter().next();
    let kinds = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];
    matches!(first, Some(Token::Word(word, _)) if kinds.contains(&word.as_str()))
}

/// Returns the number of parameters.
pub(super) fn placeholders(sql: &str) -> usize {
    let numbers = tokens(sql).into_iter().filter_map(|token| match token {
        Token::Placeholder(number) => number,
        _ => None,
    });
    numbers.max().unwrap_or_default()
}

/// Returns the facts of a statement.
pub(super) fn facts(sql: &str) -> Facts {
    let tokens = tokens(sql);
    let mut facts = Facts::default();
    let mut clause = Clause::Other;
    // True where the name of a table is expected.
    let mut expects_table = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Token::Word(word, _) = token {
            let next = match word.as_str() {
                "FROM" | "JOIN" | "UPDATE" | "INTO" => Some(Clause::Tables),
                "WHERE" | "ON" => Some(Clause::Conditions),
                "ORDER" => Some(Clause::Order),
                "SELECT" | "SET" | "GROUP" | "HAVING" | "VALUES" | "RETURNING" | "OFFSET"
                | "LIMIT" | "FETCH" | "USING" => Some(Clause::Other),
                _ => None,
            };
            facts.has_limit |= matches!(word.as_str(), "LIMIT" | "FETCH");
            if let Some(next) = next {
                clause = next;
                expects_table = next == Clause::Tables;
                at += 1;
                continue;
            }
        }
        let Some((column, end)) = name(&tokens, at) else {
            if clause == Clause::Tables && is_symbol(Some(token), ",") {
                expects_table = true;
            }
            at += 1;
            continue;
        };
        match clause {
            Clause::Tables if expects_table => {
                at = source(&tokens, column, end, &mut facts);
                expects_table = false;
                continue;
            }
            Clause::Conditions => {
                let before = at.checked_sub(1).and_then(|before| tokens.get(before));
                facts
                    .conditions
                    .extend(condition(column, before, tokens.get(end)));
            }
            Clause::Order if !is_symbol(tokens.get(end), "(") => {
                let descends = is_word(tokens.get(end), "DESC");
                facts.order.push(Sorted { column, descends });
            }
            _ => {}
        }
        at = end;
    }
    facts
}

/// Adds a table, and returns the position after its alias.
fn source(tokens: &[Token], table: Column, end: usize, facts: &mut Facts) -> usize {
    // `json_each(..)` is no table.
    if is_symbol(tokens.get(end), "(") {
        return end;
    }
    let after = if is_word(tokens.get(end), "AS") {
        end + 1
    } else {
        end
    };
    let (alias, end) = match name(tokens, after) {
        Some((alias, end)) => (alias.name, end),
        None => (table.name.clone(), end),
    };
    let table = table.name;
    facts.tables.push(Source { table, alias });
    end
}

/// Returns the comparison that a column is in, from the tokens around it.
fn condition(column: Column, before: Option<&Token>, after: Option<&Token>) -> Option<Condition> {
    let is_equal = is_symbol(before, "=") || is_symbol(after, "=") || is_word(after, "IN");
    let ranges = ["<", ">", "<=", ">="];
    let is_range = is_word(after, "BETWEEN")
        || ranges
            .iter()
            .any(|range| is_symbol(before, range) || is_symbol(after, range));
    (is_equal || is_range).then_some(Condition {
        column,
        is_equality: is_equal,
    })
}

/// Returns the name at this position, `alias.column` or `column`, and the position after it.
fn name(tokens: &[Token], at: usize) -> Option<(Column, usize)> {
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => Some(name.clone()),
        Some(Token::Word(upper, word)) if !KEYWORDS.contains(&upper.as_str()) => Some(word.clone()),
        _ => None,
    };
    let first = word(at)?;
    if is_symbol(tokens.get(at + 1), ".")
        && let Some(second) = word(at + 2)
    {
        let column = Column {
            alias: Some(first),
            name: second,
        };
        return Some((column, at + 3));
    }
    let column = Column {
        alias: None,
        name: first,
    };
    Some((column, at + 1))
}

fn is_symbol(token: Option<&Token>, symbol: &str) -> bool {
    matches!(token, Some(Token::Symbol(text)) if text == symbol)
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(upper, _)) if upper == word)
}

/// Splits a text into tokens, without comments.
fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = token(rest, first);
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens
}

/// Returns the first token of a text, and its length in bytes.
fn token(rest: &str, first: char) -> (Option<Token>, usize) {
    let up_to = |end: &str, skip: usize| {
        let found = rest.get(skip..).and_then(|rest| rest.find(end));
        found.map_or(rest.len(), |found| skip + found + end.len())
    };
    let word_end = |skip: usize| {
        let is_end = |c: char| !(c.is_alphanumeric() || c == '_');
        let found = rest.get(skip..).and_then(|rest| rest.find(is_end));
        found.map_or(rest.len(), |found| skip + found)
    };
    if rest.starts_with("--") {
        return (None, up_to("\n", 2));
    }
    if rest.starts_with("/*") {
        return (None, up_to("*/", 2));
    }
    match first {
        // A doubled quote begins the next text, which has the same meaning here.
        '\'' => (Some(Token::Text), up_to("'", 1)),
        '"' | '`' => {
            let end = up_to(if first == '"' { "\"" } else { "`" }, 1);
            let name = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
            (Some(Token::Name(name.to_owned())), end)
        }
        '$' | '?' => {
            let end = word_end(1);
            let number = rest.get(1..end).and_then(|number| number.parse().ok());
            (Some(Token::Placeholder(number)), end)
        }
        c if c.is_ascii_digit() => (Some(Token::Text), word_end(1)),
        c if c.is_alphabetic() || c == '_' => {
            let end = word_end(c.len_utf8());
            let word = rest.get(..end).unwrap_or_default();
            (
                Some(Token::Word(word.to_ascii_uppercase(), word.to_owned())),
                end,
            )
        }
        c => {
            let pairs = ["<=", ">=", "<>", "!=", "::", "||"];
            let pair = pairs.into_iter().find(|pair| rest.starts_with(pair));
            let symbol = pair.map_or_else(|| c.to_string(), str::to_owned);
            let length = symbol.len();
            (Some(Token::Symbol(symbol)), length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> (Vec<String>, Vec<String>, Vec<String>, bool) {
        let facts = facts(sql);
        let column = |column: &Column| match &column.alias {
            Some(alias) => format!("{alias}.{}", column.name),
            None => column.name.clone(),
        };
        (
            facts
                .tables
                .iter()
                .map(|one| format!("{} {}", one.table, one.alias))
                .collect(),
            facts
                .conditions
                .iter()
                .map(|one| {
                    format!(
                        "{}{}",
                        column(&one.column),
                        if one.is_equality { "=" } else { "<" }
                    )
                })
                .collect(),
            facts
                .order
                .iter()
                .map(|one| {
                    format!(
                        "{}{}",
                        column(&one.column),
                        if one.descends { "-" } else { "+" }
                    )
                })
                .collect(),
            facts.has_limit,
        )
    }

    #[test]
    fn tables_conditions_and_order_are_found() {
        let (tables, conditions, order, has_limit) = shown(
            r#"SELECT "tickets"."id", count(*) FROM "tickets" -- WHERE x = 1
               WHERE "tickets"."status" IN ($1, $2) AND lower(subject) = 'a = b' AND "age" >= $3
               ORDER BY "tickets"."age" DESC, id LIMIT 5"#,
        );
        assert_eq!(tables, ["tickets tickets"]);
        assert_eq!(conditions, ["tickets.status=", "age<"]);
        assert_eq!(order, ["tickets.age-", "id+"]);
        assert!(has_limit);
    }

    #[test]
    fn joins_and_updates_are_read() {
        let (tables, conditions, ..) = shown(
            "SELECT * FROM orders AS o JOIN public.items i ON i.order_id = o.id WHERE o.at < $1",
        );
        assert_eq!(tables, ["orders o", "items i"]);
        assert_eq!(conditions, ["i.order_id=", "o.id=", "o.at<"]);
        let (tables, conditions, ..) = shown("UPDATE orders SET state = $1 WHERE article = $2");
        assert_eq!(tables, ["orders orders"]);
        assert_eq!(conditions, ["article="]);
    }

    #[test]
    fn parameters_are_counted_by_their_number() {
        assert_eq!(placeholders("SELECT $2, $1, $2, '$9'"), 2);
        assert!(is_explainable("  with x as (select 1) select * from x"));
        assert!(!is_explainable("DROP TABLE x"));
    }
}
