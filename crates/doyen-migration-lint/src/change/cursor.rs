//! Reads the tokens of a statement from the left.

use doyen_data::migrate::{Lexer, Token};
use doyen_data::sea_orm::DbBackend;

/// A token, as far as the rules need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A keyword or a name without quotes, in lower case.
    Word(String),
    /// A quoted name.
    Name(String),
    Open,
    Close,
    Comma,
    Dot,
    /// A string, a number or an operator.
    Other,
}

/// Returns the tokens of a statement.
pub(super) fn pieces(sql: &str, backend: DbBackend) -> Vec<Piece> {
    let lexer = Lexer::new(sql, backend);
    lexer
        .map(|(range, token)| match token {
            Token::Word(word) => Piece::Word(word.to_lowercase()),
            Token::Open => Piece::Open,
            Token::Close => Piece::Close,
            Token::Semicolon => Piece::Other,
            Token::Other => quoted(&sql[range]),
        })
        .collect()
}

fn quoted(text: &str) -> Piece {
    let inner = |open: char, close: char| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        let doubled = [close, close].iter().collect::<String>();
        Some(Piece::Name(inner.replace(&doubled, &close.to_string())))
    };
    match text {
        "," => Piece::Comma,
        "." => Piece::Dot,
        _ => inner('"', '"')
            .or_else(|| inner('`', '`'))
            .or_else(|| inner('[', ']'))
            .unwrap_or(Piece::Other),
    }
}

#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [Piece],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rest: &'a [Piece]) -> Self {
        Self { rest }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.rest.first(), Some(Piece::Word(is)) if is == word)
    }

    /// Moves behind the next word, if it is this one.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let is = self.is(word);
        if is {
            self.rest = &self.rest[1..];
        }
        is
    }

    /// Moves behind all of these words that come next.
    pub(super) fn skip_any(&mut self, words: &[&str]) {
        while words.iter().any(|word| self.eat(word)) {}
    }

    /// Returns the next piece if it is a word, and moves behind it.
    pub(super) fn word(&mut self) -> Option<String> {
        let (first, rest) = self.rest.split_first()?;
        let Piece::Word(word) = first else {
            return None;
        };
        self.rest = rest;
        Some(word.clone())
    }

    /// Returns a name without its schema, and moves behind it.
    pub(super) fn name(&mut self) -> Option<String> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            let (Piece::Word(name) | Piece::Name(name)) = first else {
                return None;
            };
            self.rest = rest;
            match rest.first() {
                Some(Piece::Dot) => self.rest = &rest[1..],
                _ => return Some(name.clone()),
            }
        }
    }

    /// Returns names that commas separate.
    pub(super) fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(name) = self.name() {
            names.push(name);
            match self.rest.first() {
                Some(Piece::Comma) => self.rest = &self.rest[1..],
                _ => break,
            }
        }
        names
    }

    /// Returns true if the word occurs somewhere later.
    pub(super) fn has(&self, word: &str) -> bool {
        let mut rest = self.rest.iter();
        rest.any(|piece| matches!(piece, Piece::Word(is) if is == word))
    }

    /// Returns the names that follow these words, anywhere later.
    pub(super) fn names_after(&self, words: &[&str]) -> Vec<String> {
        let mut at = self.clone();
        let mut names = Vec::new();
        while let Some((first, rest)) = at.rest.split_first() {
            at.rest = rest;
            if matches!(first, Piece::Word(word) if words.contains(&word.as_str())) {
                names.extend(at.clone().names());
            }
        }
        names
    }

    /// Moves to the next of these words outside of parentheses.
    pub(super) fn skip_to(&mut self, words: &[&str]) -> Option<()> {
        let mut depth = 0_u32;
        loop {
            match self.rest.first()? {
                Piece::Open => depth += 1,
                Piece::Close => depth = depth.saturating_sub(1),
                Piece::Word(word) if depth == 0 && words.contains(&word.as_str()) => {
                    return Some(());
                }
                _ => {}
            }
            self.rest = &self.rest[1..];
        }
    }

    /// Splits the rest at the commas outside of parentheses.
    pub(super) fn split_at_commas(&self) -> Vec<Cursor<'a>> {
        let mut depth = 0_u32;
        let parts = self.rest.split(|piece| {
            match piece {
                Piece::Open => depth += 1,
                Piece::Close => depth = depth.saturating_sub(1),
                _ => {}
            }
            *piece == Piece::Comma && depth == 0
        });
        parts.map(Cursor::new).collect()
    }

    /// Returns the rest without what is in parentheses.
    pub(super) fn outside_parentheses(&self) -> Vec<&'a Piece> {
        let mut depth = 0_u32;
        let outside = self.rest.iter().filter(|piece| match piece {
            Piece::Open => {
                depth += 1;
                depth == 1
            }
            Piece::Close => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        });
        outside.collect()
    }
}
