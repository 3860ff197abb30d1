//! Enumerated settings, which `#[derive(Settings)]` generates for an enum.

use crate::{Raw, Wrong};

/// Returns the index of a value.
///
/// # Errors
///
/// Returns an error with all values if there is no such one.
pub fn choose(raw: &Raw, words: &[&str]) -> Result<usize, Wrong> {
    let given = raw.text();
    given
        .and_then(|given| words.iter().position(|word| *word == given))
        .ok_or_else(|| {
            let near = given.and_then(|given| nearest(given, words.iter().copied()));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Wrong::must_be(format!("{}{near}", either(words)))
        })
}

/// "`a`, `b` or `c`".
pub(crate) fn either<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// Returns the known value that was probably meant.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = (word.chars().count() / 4).max(2);
    let far = |known: &&'k str| strsim::damerau_levenshtein(word, known);
    known.min_by_key(far).filter(|known| far(known) <= allowed)
}
