//! `docs/guide/troubleshooting.md`: each message is written by the file that the page names.

use std::path::Path;

/// The messages of the page, each with the file before it.
fn messages(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut file = String::new();
    for line in page.lines() {
        if let Some(path) = line.strip_prefix("<!-- ") {
            path.trim_end_matches(" -->").clone_into(&mut file);
        } else if let Some(message) = line.strip_prefix("### `") {
            found.push((
                std::mem::take(&mut file),
                message.trim_end_matches('`').to_owned(),
            ));
        }
    }
    found
}

/// The texts of a source file, with the lines of one text joined.
fn text_of(source: &str) -> String {
    let mut text = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        text.push_str(line);
        while text.ends_with('\\') {
            text.pop();
            text.push_str(lines.next().unwrap_or_default().trim_start());
        }
        text.push('\n');
    }
    text
}

/// The constant parts of a message, which follow each other in one line of the source.
fn is_written(message: &str, source: &str) -> bool {
    let parts: Vec<&str> = message
        .split('…')
        .map(|part| part.trim_matches([' ', ':', '.']))
        .filter(|part| !part.is_empty())
        .collect();
    let follows = |line: &str| {
        let mut rest = line;
        parts.iter().all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    };
    !parts.is_empty() && text_of(source).lines().any(follows)
}

#[test]
fn each_message_is_written_by_its_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/guide/troubleshooting.md")).unwrap();
    let messages = messages(&page);
    assert!(messages.len() > 20, "{messages:?}");
    let mut wrong = Vec::new();
    for (file, message) in messages {
        let source = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
        // The tests of a file prove nothing about what it writes.
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        if !is_written(&message, source) {
            wrong.push(format!("{file}: {message}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_message_that_no_line_has_is_found() {
    let source = "format!(\n    \"the port {port} is used: \\\n     choose {other}\",\n)\n";
    assert!(is_written("the port … is used: choose …", source));
    assert!(!is_written("the port … is free", source));
    assert!(!is_written("choose … the port", source));
    assert!(!is_written("…", source));
}
