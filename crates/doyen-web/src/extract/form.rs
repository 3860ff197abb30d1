//! Form bodies.

use doyen_core::{At, Invalid, Place, Problem, Refusal};
use doyen_schema::contract::{Contract, RequestBody};
use doyen_schema::input::{Object, text};

use super::{FromRequest, ViaBody, body};
use crate::request::Request;

/// Reads the body as an HTML form (`application/x-www-form-urlencoded`). Unknown fields get a 422.
///
/// An optional field that was left empty is absent, unless it is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<T>(pub T);

const FORM: &[&str] = &["application/x-www-form-urlencoded"];

impl<T: Object> FromRequest<ViaBody> for Form<T> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        body::expect(request, FORM)?;
        let bytes = body::read(request).await?;
        let value = text::form(&bytes)?;
        let at = At::root(Place::Body);
        let before = request.failures.len();
        let value = T::parse(value, &at, &mut request.failures);
        match value {
            Some(value) if T::ASYNC && request.failures.len() == before => {
                value
                    .verify(&request.parts.context, &at, &mut request.failures)
                    .await;
                Ok((request.failures.len() == before).then_some(Form(value)))
            }
            value => Ok(value.map(Form)),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = T::schema(contract.components);
        contract.operation.body = Some(RequestBody {
            media_types: FORM.to_vec(),
            required: true,
            schema,
            description: String::new(),
        });
        contract.operation.fails(text::TextError::catalogue());
        contract.operation.fails(body::problems());
        contract.operation.fails(Invalid::catalogue());
    }
}
