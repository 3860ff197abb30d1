//! The chain of causes of an error, as text.

use std::error::Error;

/// Maximum number of causes.
const MAX_CAUSES: usize = 16;

/// Returns the text of an error and of its causes, outermost first. Many errors repeat their cause
/// in their own text; a cause that the text before it contains is left out.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(doyen_core::causes(&error), ["the disk is full"]);
/// ```
pub fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next.filter(|_| texts.len() < MAX_CAUSES) {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts
}

/// Returns the [`causes`] in one line: `outer: inner: innermost`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).join(": ")
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|below| below as _)
        }
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (first, rest) = texts.split_first().unwrap();
        let below = (!rest.is_empty()).then(|| Box::new(layers(rest)));
        Layer(first, below)
    }

    #[test]
    fn a_cause_that_is_repeated_is_written_once() {
        let error = layers(&[
            "the query failed",
            "error returned from database: no such table",
            "no such table",
            "errno 2",
        ]);
        assert_eq!(
            chain(&error),
            "the query failed: error returned from database: no such table: errno 2"
        );
    }
}
