//! The whole application as a `tower` service.

use doyen::prelude::*;
use doyen::web::{Client, Peer};
use tower::ServiceExt as _;

use crate::kit::of;

/// Get the address of the client
#[get("/me", allow = anyone)]
async fn me(client: Client) -> Text {
    Text(
        client
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
    )
}

#[tokio::test]
async fn an_application_is_a_service_of_an_axum_router() {
    let app = of(Module::new("m").routes(routes![me]));
    let router: axum::Router = axum::Router::new()
        .route("/axum", axum::routing::get(|| async { "axum" }))
        .nest_service("/api", app.service.clone())
        .fallback_service(app.service.clone());
    for (path, expected) in [
        ("/axum", "axum"),
        ("/api/me", "192.0.2.7"),
        ("/me", "192.0.2.7"),
    ] {
        let mut request = http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        request
            .extensions_mut()
            .insert(Peer("192.0.2.7:1".parse().unwrap()));
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert_eq!(body, expected, "{path}");
    }
    // The application handles what it does not know.
    let request = http::Request::get("/none")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}
