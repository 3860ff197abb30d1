//! Paths, links and commands in a Markdown document.

const MEDIA_TYPES: [&str; 8] = [
    "application",
    "audio",
    "font",
    "image",
    "message",
    "multipart",
    "text",
    "video",
];

/// A path, link or command in a document.
#[derive(Debug, PartialEq)]
pub(in crate::commands) struct Mention {
    pub(in crate::commands) line: usize,
    pub(in crate::commands) what: What,
}

#[derive(Debug, PartialEq)]
pub(in crate::commands) enum What {
    Path(String),
    Link(String),
    Command(String),
}

/// Returns the mentions of a document, in order.
pub(in crate::commands) fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let mut add = |what| {
            found.push(Mention {
                line: number + 1,
                what,
            })
        };
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {
                let command = start.trim_start_matches("$ ");
                let command = command.split(" #").next().unwrap_or_default().trim_end();
                if command.starts_with("cargo ") {
                    add(What::Command(command.to_owned()));
                }
            }
            (None, None) => {
                for span in line.split('`').skip(1).step_by(2) {
                    if span.starts_with("cargo ") {
                        add(What::Command(span.to_owned()));
                    } else if is_path(span) {
                        add(What::Path(span.to_owned()));
                    }
                }
                for target in links(line) {
                    add(What::Link(target.to_owned()));
                }
            }
        }
    }
    found
}

/// Returns the targets of `[text](target)` that lead to a file of the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    let files = targets.map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|target| !target.is_empty() && !target.contains(':'))
}

/// True if a code span is a path of the repository.
fn is_path(span: &str) -> bool {
    let plain = span
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "._-/{},*".contains(letter));
    let first = span.split('/').next().unwrap_or_default();
    // `600/1m` is a rate and `10.1.0.0/16` a network.
    let number = first.starts_with(|letter: char| letter.is_ascii_digit());
    plain && span.contains('/') && !first.is_empty() && !number && !MEDIA_TYPES.contains(&first)
}
