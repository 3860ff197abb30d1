//! The duties around every route, the outermost first.

use std::time::Duration;

use axum::{
    Router,
    http::{
        HeaderName, HeaderValue, Method, Request, StatusCode,
        header::{self, AUTHORIZATION, CONTENT_TYPE},
    },
    middleware::{from_fn, from_fn_with_state},
};
use tower::ServiceBuilder;
use tower_governor::{
    GovernorError, GovernorLayer, governor::GovernorConfigBuilder, key_extractor::KeyExtractor,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, DefaultPredicate, Predicate, predicate::SizeAbove},
    cors::CorsLayer,
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};

use crate::{
    auth::{Caller, Verifier, identify},
    metrics, telemetry,
};

const TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_BODY: usize = 1024 * 1024;
const REQUESTS_PER_SECOND: u32 = 1_000_000;
const ORIGIN: HeaderValue = HeaderValue::from_static("https://app.example.com");
const WORTH_COMPRESSING: u64 = 1024;

pub fn add(routes: Router, verifier: Verifier) -> Router {
    let outer = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(telemetry::trace_layer())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(metrics::count))
        .layer(constant(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(constant(header::X_FRAME_OPTIONS, "DENY"))
        .layer(constant(header::REFERRER_POLICY, "no-referrer"))
        .layer(constant(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .layer(constant(
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=63072000; includeSubDomains",
        ))
        .layer(constant(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ))
        .layer(CatchPanicLayer::new())
        .layer(cors())
        .layer(
            CompressionLayer::new()
                .compress_when(SizeAbove::new(WORTH_COMPRESSING).and(DefaultPredicate::new())),
        )
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            TIMEOUT,
        ))
        .layer(from_fn_with_state(verifier, identify))
        .layer(rate_limit());
    routes
        .layer(RequestBodyLimitLayer::new(LONGEST_BODY))
        .layer(outer)
}

fn constant(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(ORIGIN)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
}

type RateLimit = GovernorLayer<ByCaller, governor::middleware::NoOpMiddleware, axum::body::Body>;

fn rate_limit() -> RateLimit {
    let config = GovernorConfigBuilder::default()
        .key_extractor(ByCaller)
        .period(Duration::from_secs(1) / REQUESTS_PER_SECOND)
        .burst_size(REQUESTS_PER_SECOND)
        .finish()
        .expect("neither period nor burst is zero");
    // Callers that were not seen for long are forgotten.
    let limiter = config.limiter().clone();
    tokio::spawn(async move {
        let mut minutes = tokio::time::interval(Duration::from_secs(60));
        loop {
            minutes.tick().await;
            limiter.retain_recent();
        }
    });
    GovernorLayer::new(config)
}

#[derive(Clone)]
struct ByCaller;

impl KeyExtractor for ByCaller {
    type Key = std::sync::Arc<str>;

    fn extract<B>(&self, request: &Request<B>) -> Result<Self::Key, GovernorError> {
        let caller: Option<&Caller> = request.extensions().get();
        caller
            .map(|caller| caller.0.clone())
            .ok_or(GovernorError::UnableToExtractKey)
    }
}
