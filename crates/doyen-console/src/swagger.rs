//! The page with Swagger UI: the same document, from the same origin.

use crate::asset::ASSETS_PATH;
use crate::html::escape;

/// The `Content-Security-Policy` of the page. Swagger UI writes styles into its elements, and has
/// images in its styles.
pub(crate) const SWAGGER_CSP: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The page for the document at this URL. Both arguments are escaped.
pub(crate) fn swagger_page(openapi_url: &str, title: &str) -> String {
    let (openapi_url, title) = (escape(openapi_url), escape(title));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="doyen-openapi" content="{openapi_url}">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{ASSETS_PATH}/icon.svg">
<link rel="stylesheet" href="{ASSETS_PATH}/swagger-ui.css">
<script defer src="{ASSETS_PATH}/swagger-ui-bundle.js"></script>
<script defer src="{ASSETS_PATH}/init.js"></script>
</head>
<body>
<div id="swagger-ui"></div>
</body>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_arguments_are_escaped() {
        let page = swagger_page("/o\"><script>x</script>", "<img src=x>");
        assert!(
            !page.contains("<script>x") && !page.contains("<img"),
            "{page}"
        );
    }
}
