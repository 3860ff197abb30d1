//! Who calls: the bearer token of each request is verified.

use std::{error::Error, fs, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::problem::Problem;

/// Keys and rules of tokens; a copy is cheap.
#[derive(Clone)]
pub struct Verifier(Arc<(DecodingKey, Validation)>);

/// Who was identified; an extension of the request.
#[derive(Clone)]
pub struct Caller(pub Arc<str>);

#[derive(Deserialize)]
struct Claims {
    sub: Arc<str>,
}

impl Verifier {
    pub fn from_environment() -> Result<Self, Box<dyn Error>> {
        let key = DecodingKey::from_ed_pem(&fs::read(settings::required("JWT_PUBLIC_KEY"))?)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[settings::required("JWT_ISSUER")]);
        validation.set_audience(&[settings::required("JWT_AUDIENCE")]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Ok(Self(Arc::new((key, validation))))
    }

    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let (key, validation) = &*self.0;
        let token = headers
            .get(AUTHORIZATION)?
            .to_str()
            .ok()?
            .strip_prefix("Bearer ")?;
        let verified = decode::<Claims>(token, key, validation).ok()?;
        Some(Caller(verified.claims.sub))
    }
}

pub async fn identify(
    State(verifier): State<Verifier>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = verifier
        .caller(request.headers())
        .ok_or(Problem::Unauthorized)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}
