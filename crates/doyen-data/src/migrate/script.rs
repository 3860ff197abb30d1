//! The SQL of a migration: its statements, and how they are run.

mod lexer;

use sea_orm::DbBackend;

pub use lexer::{Lexer, Token};

/// First line of a file that is run outside of a transaction, on PostgreSQL.
const NO_TRANSACTION: &str = "-- no-transaction";

/// Number of words that tell what a statement is.
const WORDS: usize = 4;

/// The SQL of a migration.
#[derive(Debug)]
pub struct Script<'a> {
    /// The whole text, without a byte order mark: PostgreSQL does not accept it.
    pub text: &'a str,
    /// Its statements, in order.
    pub statements: Vec<Statement<'a>>,
    /// True if each statement is committed on its own.
    pub without_transaction: bool,
}

/// One statement of a script, with the `;` at its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its text.
    pub text: &'a str,
    /// The byte of the script at which it begins.
    pub start: usize,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// Its first words, in capital letters.
    words: Vec<String>,
}

impl<'a> Script<'a> {
    /// Splits a text into statements.
    pub fn parse(text: &'a str, backend: DbBackend) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            text,
            statements: split(text, backend),
            without_transaction: backend == DbBackend::Postgres
                && text.trim_start().starts_with(NO_TRANSACTION),
        }
    }

    /// Returns the first statement that begins or ends a transaction. A script with one would
    /// commit a part of itself.
    pub fn transaction_control(&self) -> Option<&Statement<'a>> {
        let mut statements = self.statements.iter();
        statements.find(|statement| statement.controls_transaction())
    }
}

impl Statement<'_> {
    /// Returns its first word, in capital letters.
    pub fn keyword(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Returns true if it works while others use the table, such as `CREATE INDEX CONCURRENTLY`.
    pub fn is_concurrent(&self) -> bool {
        let mut words = self.text.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case("CONCURRENTLY"))
    }

    /// Savepoints stay inside of a transaction.
    fn controls_transaction(&self) -> bool {
        let second = self.words.get(1).map_or("", String::as_str);
        match self.keyword() {
            "BEGIN" | "COMMIT" | "END" | "ABORT" => true,
            "START" | "PREPARE" => second == "TRANSACTION",
            "ROLLBACK" => !self.words.iter().any(|word| word == "TO"),
            _ => false,
        }
    }
}

/// Splits a script into statements. Comments between statements belong to none.
fn split(sql: &str, backend: DbBackend) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let mut nesting = Nesting::new(backend);
    let (mut begin, mut end) = (None, 0);
    let mut words = Vec::new();
    let mut push = |begin: &mut Option<usize>, end: usize, words: &mut Vec<String>| {
        if let Some(begin) = begin.take() {
            statements.push(Statement {
                text: &sql[begin..end],
                start: begin,
                line: 1 + sql[..begin].matches('\n').count(),
                words: std::mem::take(words),
            });
        }
    };
    for (range, token) in Lexer::new(sql, backend) {
        // A `;` alone is no statement.
        if begin.is_none() && token == Token::Semicolon {
            continue;
        }
        begin.get_or_insert(range.start);
        end = range.end;
        if let Token::Word(word) = token
            && words.len() < WORDS
        {
            words.push(word.to_ascii_uppercase());
        }
        if nesting.ends_statement(&token, &words) {
            push(&mut begin, end, &mut words);
            nesting = Nesting::new(backend);
        }
    }
    push(&mut begin, end, &mut words);
    statements
}

/// Finds the `;` that ends a statement, among those in the body of a function or a trigger.
enum Nesting {
    /// The rule of `psql`: a `;` counts outside of parentheses and of `BEGIN ATOMIC .. END`.
    Postgres { parentheses: u32, blocks: u32 },
    /// The rule of `sqlite3_complete`: a trigger ends with `; END ;`.
    Sqlite { last: [Kind; 2] },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Semicolon,
    End,
    Other,
}

impl Nesting {
    fn new(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Sqlite => Self::Sqlite {
                last: [Kind::Other; 2],
            },
            _ => Self::Postgres {
                parentheses: 0,
                blocks: 0,
            },
        }
    }

    fn ends_statement(&mut self, token: &Token<'_>, words: &[String]) -> bool {
        match self {
            Self::Postgres {
                parentheses,
                blocks,
            } => {
                match token {
                    Token::Open => *parentheses += 1,
                    Token::Close => *parentheses = parentheses.saturating_sub(1),
                    Token::Word(word) if *parentheses == 0 && is_routine(words) => {
                        let is = |other: &str| word.eq_ignore_ascii_case(other);
                        // `CASE` ends with `END` too.
                        if is("BEGIN") || (is("CASE") && *blocks > 0) {
                            *blocks += 1;
                        } else if is("END") {
                            *blocks = blocks.saturating_sub(1);
                        }
                    }
                    _ => {}
                }
                *token == Token::Semicolon && *parentheses == 0 && *blocks == 0
            }
            Self::Sqlite { last } => {
                let kind = match token {
                    Token::Semicolon => Kind::Semicolon,
                    Token::Word(word) if word.eq_ignore_ascii_case("END") => Kind::End,
                    _ => Kind::Other,
                };
                let closed = *last == [Kind::Semicolon, Kind::End];
                *last = [last[1], kind];
                kind == Kind::Semicolon && (closed || !is_trigger(words))
            }
        }
    }
}

fn is_routine(words: &[String]) -> bool {
    let mut rest = words.iter().map(String::as_str);
    let routine = |word: Option<&str>| matches!(word, Some("FUNCTION" | "PROCEDURE"));
    match (rest.next(), rest.next()) {
        (Some("CREATE"), Some("OR")) => rest.next() == Some("REPLACE") && routine(rest.next()),
        (Some("CREATE"), second) => routine(second),
        _ => false,
    }
}

fn is_trigger(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["CREATE", "TRIGGER", ..] | ["CREATE", "TEMP" | "TEMPORARY", "TRIGGER", ..]
    )
}

#[cfg(test)]
mod tests;
