//! The tokens of SQL, as far as they matter for finding the end of a statement.

use std::ops::Range;

use sea_orm::DbBackend;

/// A token. Space and comments are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A keyword or an identifier without quotes.
    Word(&'a str),
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// A string, a quoted identifier, a number or an operator.
    Other,
}

/// Returns the tokens of a text with their positions.
#[derive(Debug)]
pub struct Lexer<'a> {
    sql: &'a str,
    at: usize,
    postgres: bool,
}

impl<'a> Lexer<'a> {
    /// Begins at the first token.
    pub fn new(sql: &'a str, backend: DbBackend) -> Self {
        Self {
            sql,
            at: 0,
            postgres: backend == DbBackend::Postgres,
        }
    }

    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    /// Moves behind the next occurrence of this text, or to the end.
    fn skip_past(&mut self, text: &str) {
        let rest = self.rest();
        self.at += rest.find(text).map_or(rest.len(), |at| at + text.len());
    }

    fn skip_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Moves to the next token.
    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with("--") {
                let postgres = self.postgres;
                self.skip_while(|c| c != '\n' && !(c == '\r' && postgres));
            } else if rest.starts_with("/*") {
                self.skip_comment();
            } else if rest.starts_with(char::is_whitespace) {
                self.skip_while(char::is_whitespace);
            } else {
                return;
            }
        }
    }

    /// Comments are nested in PostgreSQL and not in SQLite.
    fn skip_comment(&mut self) {
        self.at += 2;
        if !self.postgres {
            return self.skip_past("*/");
        }
        let mut depth = 1;
        while depth > 0 {
            let rest = self.rest();
            let Some(next) = rest.find(['/', '*']) else {
                self.at = self.sql.len();
                return;
            };
            self.at += next;
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
            } else {
                self.at += 1;
            }
        }
    }

    /// Moves behind the closing quote; two in a row are one that belongs to the text.
    fn skip_quoted(&mut self, quote: char) {
        self.at += 1;
        loop {
            self.skip_while(|c| c != quote);
            self.at = (self.at + 1).min(self.sql.len());
            if !self.rest().starts_with(quote) {
                return;
            }
            self.at += 1;
        }
    }

    /// Moves behind a string in which a backslash escapes a quote: `E'it\'s'`.
    fn skip_escaped(&mut self) {
        self.at += 1;
        loop {
            self.skip_while(|c| c != '\'' && c != '\\');
            let escaped = self.rest().starts_with('\\') || self.rest().starts_with("''");
            let mut chars = self.rest().chars();
            let width = chars.next().map_or(0, char::len_utf8);
            let next = chars.next().map_or(0, char::len_utf8);
            self.at += if escaped { width + next } else { width };
            if !escaped {
                return;
            }
        }
    }

    /// Moves behind a string such as `$$..$$` or `$body$..$body$`, if one begins here.
    fn skip_dollar_quoted(&mut self) -> bool {
        let rest = self.rest();
        let tag = rest[1..].split_once('$').map_or("1", |(tag, _)| tag);
        if !tag.chars().all(is_word) || tag.starts_with(|c: char| c.is_ascii_digit()) {
            return false;
        }
        let quote = &rest[..tag.len() + 2];
        self.at += quote.len();
        self.skip_past(quote);
        true
    }

    fn token(&mut self, first: char) -> Token<'a> {
        match first {
            '\'' | '"' => self.skip_quoted(first),
            '`' if !self.postgres => self.skip_quoted(first),
            '[' if !self.postgres => self.skip_past("]"),
            '$' if self.postgres && self.skip_dollar_quoted() => {}
            '0'..='9' => _ = self.skip_while(|c| is_word(c) || c == '.'),
            c if is_word(c) => {
                let word = self.skip_while(|c| is_word(c) || c == '$');
                if self.postgres && word.eq_ignore_ascii_case("e") && self.rest().starts_with('\'')
                {
                    self.skip_escaped();
                    return Token::Other;
                }
                return Token::Word(word);
            }
            c => {
                self.at += c.len_utf8();
                return match c {
                    ';' => Token::Semicolon,
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Other,
                };
            }
        }
        Token::Other
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

impl<'a> Iterator for Lexer<'a> {
    type Item = (Range<usize>, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_space();
        let first = self.rest().chars().next()?;
        let start = self.at;
        let token = self.token(first);
        Some((start..self.at, token))
    }
}
