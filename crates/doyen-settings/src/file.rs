//! Values from a TOML file, each with its line.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::tree::Tree;
use crate::{Fault, Origin, Raw};

/// Adds the values of a file; returns false if it cannot be read. A missing file is ignored, unless
/// it is required.
pub(crate) fn read(path: &Path, required: bool, tree: &mut Tree, faults: &mut Vec<Fault>) -> bool {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return true,
        Err(error) => {
            let message =
                format!("{name} cannot be read: {error}. Correct the path or the file's rights");
            faults.push(Fault::new(&name, message));
            return false;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        // Only the message and the line: the whole error would quote the line, which may contain a
        // secret.
        let line = error.span().map_or(1, |span| line(&text, span.start));
        let message = error.message().replace('\n', " ");
        let fault = Fault::new(&name, format!("{name} line {line} is no TOML: {message}"));
        // The parser may report one mistake more than once.
        if faults.last() != Some(&fault) {
            faults.push(fault);
        }
    }
    if errors.is_empty() {
        walk(table.get_ref(), "", &name, &text, tree);
    }
    errors.is_empty()
}

fn walk(table: &DeTable<'_>, section: &str, file: &str, text: &str, tree: &mut Tree) {
    for (key, value) in table {
        let path = format!("{section}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => walk(inner, &format!("{path}."), file, text, tree),
            _ => {
                let origin = Origin::File {
                    path: file.to_owned(),
                    line: line(text, key.span().start),
                };
                tree.set(path, raw(value), origin);
            }
        }
    }
}

/// Returns a single TOML value, of which a JSON array is one.
pub(crate) fn value(text: &str) -> Option<Raw> {
    DeValue::parse(text.trim()).ok().map(|value| raw(&value))
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            let whole = i128::from_str_radix(number.as_str(), number.radix());
            whole.map_or_else(|_| Raw::Word(number.to_string()), Raw::Integer)
        }
        DeValue::Float(number) => number.as_str().parse().map_or(Raw::Table, Raw::Float),
        DeValue::Boolean(truth) => Raw::Bool(*truth),
        DeValue::Datetime(time) => Raw::Text(time.to_string()),
        DeValue::Array(items) => Raw::List(items.iter().map(raw).collect()),
        DeValue::Table(_) => Raw::Table,
    }
}

fn line(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}
