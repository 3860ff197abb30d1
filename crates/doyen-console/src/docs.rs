//! The HTML shell of the documentation page.
//!
//! The shell carries no content of its own: the scripts read the OpenAPI
//! document and draw the page. It stays valid under [`DOCS_CSP`].

use std::fmt::Write as _;

use crate::{
    asset::{ASSETS_PATH, docs_assets},
    html::escape,
};

/// The `Content-Security-Policy` under which the pages work. Send it with
/// [`docs_page`] and with [`crate::problem_page`].
pub const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The documentation page for the OpenAPI document at `openapi_url`, and for the AsyncAPI document
/// of the sockets, if there are any.
///
/// The addresses must be on the same origin. All arguments are escaped.
pub fn docs_page(openapi_url: &str, asyncapi_url: Option<&str>, title: &str) -> String {
    let title = escape(title);
    let openapi_url = escape(openapi_url);
    let asyncapi = asyncapi_url.map_or_else(String::new, |url| {
        format!(
            "<meta name=\"doyen-asyncapi\" content=\"{}\">\n",
            escape(url)
        )
    });
    let preloads = preloads();
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="doyen-openapi" content="{openapi_url}">
{asyncapi}<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{ASSETS_PATH}/icon.svg">
<link rel="stylesheet" href="{ASSETS_PATH}/base.css">
<link rel="stylesheet" href="{ASSETS_PATH}/docs.css">
<link rel="stylesheet" href="{ASSETS_PATH}/try.css">
{preloads}<script type="module" src="{ASSETS_PATH}/docs.js"></script>
</head>
<body>
<div id="app" class="app">
<p class="boot">Loading {title}</p>
</div>
<noscript><p class="boot">This page needs JavaScript. The contract itself is at <a href="{openapi_url}">{openapi_url}</a>.</p></noscript>
</body>
</html>
"#
    )
}

/// Without these the browser would find the modules one import at a time.
fn preloads() -> String {
    let mut out = String::new();
    for asset in docs_assets().iter().filter(|a| a.path.ends_with(".js")) {
        let _ = writeln!(
            out,
            r#"<link rel="modulepreload" href="{ASSETS_PATH}/{}">"#,
            asset.path
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of each `name="..."` in the page.
    fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
        let mark = format!(" {name}=\"");
        page.split(&mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect()
    }

    #[test]
    fn every_file_that_the_page_names_exists() {
        let page = docs_page("/openapi.json", None, "Shop");
        assert!(!page.contains("asyncapi"));
        let prefix = format!("{ASSETS_PATH}/");
        let mut named = attributes(&page, "href");
        named.extend(attributes(&page, "src"));
        let assets: Vec<&str> = named
            .iter()
            .filter_map(|n| n.strip_prefix(&prefix))
            .collect();
        assert!(assets.contains(&"docs.js") && assets.contains(&"base.css"));
        for name in assets {
            assert!(docs_assets().iter().any(|a| a.path == name), "{name}");
        }
    }

    #[test]
    fn all_arguments_are_escaped() {
        let title = "<img src=x onerror=y> & co";
        let page = docs_page("/o\"><script>x</script>", Some("/a\"><script>x"), title);
        assert!(!page.contains("<script>x"));
        assert!(!page.contains("<img"));
        assert!(page.contains("<title>&lt;img src=x onerror=y&gt; &amp; co</title>"));
        assert!(page.contains(r#"content="/o&quot;&gt;&lt;script&gt;x&lt;/script&gt;""#));
        assert!(page.contains(r#"content="/a&quot;&gt;&lt;script&gt;x""#));
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_outside() {
        let page = docs_page("/openapi.json", Some("/asyncapi.json"), "Shop");
        assert!(!page.contains("<style"));
        assert!(!page.contains(" style="));
        assert!(!page.contains("http://") && !page.contains("https://"));
        for (_, tag) in page
            .match_indices("<script")
            .map(|(at, _)| (at, &page[at..]))
        {
            let open = tag.split_inclusive('>').next().unwrap_or_default();
            assert!(open.contains(" src=\""), "{open}");
            assert!(tag[open.len()..].starts_with("</script>"), "{open}");
        }
        for handler in ["onload=", "onclick=", "onerror=", "javascript:"] {
            assert!(!page.contains(handler), "{handler}");
        }
    }

    #[test]
    fn the_policy_allows_only_the_own_origin() {
        assert!(DOCS_CSP.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(!DOCS_CSP.contains("unsafe") && !DOCS_CSP.contains("  "));
    }
}
