//! Path parameters by the name of the handler's parameter.

use std::borrow::Cow;
use std::marker::PhantomData;

use doyen_core::{At, Invalid, Place, Problem as _, Refusal, Unexpected};
use doyen_schema::contract::{Contract, Parameter};
use doyen_schema::input::{Input, Value, text};

use super::FromRequestParts;
use crate::request::Request;

/// The name of a path parameter as a type. The route macros generate one for each.
pub trait ParamName: Send + Sync + 'static {
    /// The name in the path template.
    const NAME: &'static str;
}

/// The path parameter `N`. The route macros generate it; a handler declares `id: OrderId`.
#[derive(Clone, Copy, Debug)]
pub struct Named<N, T>(pub T, PhantomData<N>);

impl<N, T> Named<N, T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<N: ParamName, T: Input> FromRequestParts for Named<N, T> {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let Some(value) = request.parts.path_value(N::NAME) else {
            return Err(
                Unexpected::new(format!("the path template has no `{{{}}}`", N::NAME)).into(),
            );
        };
        let root = At::root(Place::Path);
        let mut failures = std::mem::take(&mut request.failures);
        let value = T::parse(
            Value::Text(Cow::Borrowed(value)),
            &root.field(N::NAME),
            &mut failures,
        );
        request.failures = failures;
        Ok(value.map(|value| Self(value, PhantomData)))
    }

    fn describe(contract: &mut Contract<'_>) {
        let schema = T::schema(contract.components);
        contract.operation.parameter(Parameter {
            place: Place::Path,
            name: N::NAME.to_owned(),
            required: true,
            schema,
            description: String::new(),
            deprecated: false,
            commas: false,
        });
        contract.operation.fails(Invalid::catalogue());
        contract.operation.fails(text::TextError::catalogue());
    }
}
