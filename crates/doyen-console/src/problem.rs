//! The page behind a problem's `type`: what the error means and what to do.

use crate::{asset::ASSETS_PATH, html::escape, html::paragraphs};

/// What a problem page says. All texts are plain text and are escaped;
/// `summary` and `what_to_do` may have paragraphs (a blank line between two)
/// and code in backticks.
///
/// ```
/// use doyen_console::{ProblemPage, problem_page};
///
/// let html = problem_page(&ProblemPage {
///     code: "invalid_transition",
///     title: "The ticket cannot change this way",
///     status: 409,
///     summary: "A closed ticket cannot be solved.",
///     what_to_do: "Reopen the ticket first, then solve it.",
/// });
/// assert!(html.contains("invalid_transition"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ProblemPage<'a> {
    /// The stable code, as in the `code` member of the problem.
    pub code: &'a str,
    /// The short title, as in the `title` member.
    pub title: &'a str,
    /// The HTTP status that comes with the problem.
    pub status: u16,
    /// What happened.
    pub summary: &'a str,
    /// How the caller gets out of it. May be empty.
    pub what_to_do: &'a str,
}

/// The HTML page for one problem code, in the look of the documentation.
/// It has no script.
pub fn problem_page(problem: &ProblemPage<'_>) -> String {
    let ProblemPage {
        code,
        title,
        status,
        summary,
        what_to_do,
    } = *problem;
    let code = escape(code);
    let title = escape(title);
    let family = if status >= 500 { "server" } else { "client" };
    let blame = match status {
        500.. => "The service could not do its part.",
        _ => "The request cannot be done as it was sent.",
    };
    let summary = paragraphs(summary);
    let advice = advice(what_to_do);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} ({code})</title>
<link rel="icon" type="image/svg+xml" href="{ASSETS_PATH}/icon.svg">
<link rel="stylesheet" href="{ASSETS_PATH}/base.css">
<link rel="stylesheet" href="{ASSETS_PATH}/problem.css">
</head>
<body>
<main class="problem">
<p class="problem-status" data-family="{family}"><span>{status}</span> {blame}</p>
<h1>{title}</h1>
<p class="problem-code"><code>{code}</code></p>
<section aria-labelledby="what">
<h2 id="what">What it means</h2>
{summary}</section>
{advice}<p class="problem-back"><a href="/docs">Read the API documentation</a></p>
</main>
</body>
</html>
"#
    )
}

fn advice(text: &str) -> String {
    let text = paragraphs(text);
    if text.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-labelledby=\"todo\">\n<h2 id=\"todo\">What to do</h2>\n{text}</section>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::docs_assets;

    const STALE: ProblemPage<'_> = ProblemPage {
        code: "stale_version",
        title: "The resource has changed",
        status: 412,
        summary: "Your `If-Match` names an older version.",
        what_to_do: "Read it again.\n\nSend the new `ETag`.",
    };

    #[test]
    fn the_page_describes_the_problem_and_the_remedy() {
        let page = problem_page(&STALE);
        assert!(page.contains("<span>412</span>"));
        assert!(page.contains("<h1>The resource has changed</h1>"));
        assert!(page.contains("<p>Your <code>If-Match</code> names an older version.</p>"));
        assert!(page.contains("<p>Send the new <code>ETag</code>.</p>"));
    }

    #[test]
    fn without_advice_there_is_no_empty_section() {
        let page = problem_page(&ProblemPage {
            what_to_do: "",
            ..STALE
        });
        assert!(!page.contains("What to do"));
    }

    #[test]
    fn every_text_is_escaped() {
        let evil = "<script>x</script>\"'&";
        let page = problem_page(&ProblemPage {
            code: evil,
            title: evil,
            status: 400,
            summary: evil,
            what_to_do: evil,
        });
        assert!(!page.contains("<script"));
        assert!(!page.contains("\"'&\""));
    }

    #[test]
    fn a_server_fault_does_not_blame_the_caller() {
        let page = problem_page(&ProblemPage {
            status: 500,
            ..STALE
        });
        assert!(page.contains("data-family=\"server\""));
        assert!(page.contains("The service could not do its part."));
    }

    #[test]
    fn every_file_that_the_page_names_exists() {
        let page = problem_page(&STALE);
        let prefix = format!("href=\"{ASSETS_PATH}/");
        let named: Vec<&str> = page
            .split(&prefix)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert_eq!(named.len(), 3);
        for name in named {
            assert!(docs_assets().iter().any(|a| a.path == name), "{name}");
        }
    }
}
