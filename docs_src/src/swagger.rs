//! Swagger UI next to the page of Doyen: a folder, and a policy that lets its scripts run.

use doyen::prelude::*;
use doyen::web::http::HeaderValue;

/// No outside host. Swagger UI writes styles into its elements, and has images in its styles.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

#[around]
async fn policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert("content-security-policy", policy);
    response
}

/// The module with Swagger UI. The folder has `index.html`, `init.js`, and two files of the npm
/// package `swagger-ui-dist`: `swagger-ui-bundle.js` and `swagger-ui.css`.
pub fn module(folder: &std::path::Path) -> Module {
    Module::new("swagger")
        .files("/swagger", anyone, folder.to_path_buf())
        .around(policy)
}
