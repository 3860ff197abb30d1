//! The extractor for handlers that receive webhooks.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use doyen_core::inject::{BoxFuture, Context, Needs};
use doyen_core::problem::Plain;
use doyen_core::{At, Clock, Inject, Kind, Place, ProblemInfo, Refusal, Timestamp, denied_because};
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, Parameter};
use doyen_schema::input::Input;
use doyen_schema::input::json;
use doyen_web::extract::FromRequest;
use doyen_web::{Json, Request};

use crate::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, WebhookSecret, verify};

static INVALID_SIGNATURE: ProblemInfo = ProblemInfo {
    code: "invalid_signature",
    kind: Kind::Malformed,
    title: "Invalid Signature",
    description: "The message is not signed with a known secret, was changed, or its time is more than five minutes from now. Check the secret and \
                  the clock of the sender.",
};

/// A sender of webhooks, and the secrets that it signs with.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use std::sync::Arc;
/// use doyen_core::Inject;
/// use doyen_webhooks::{WebhookSecret, WebhookSource};
///
/// struct ShopSettings {
///     payment_secret: WebhookSecret,
/// }
///
/// #[derive(Clone, Inject)]
/// struct Payments {
///     settings: Arc<ShopSettings>,
/// }
///
/// impl WebhookSource for Payments {
///     fn secrets(&self) -> Vec<WebhookSecret> {
///         vec![self.settings.payment_secret.clone()]
///     }
/// }
/// ```
pub trait WebhookSource: Inject {
    /// Returns the live secrets: two while the sender changes to the next one.
    fn secrets(&self) -> Vec<WebhookSecret>;
}

/// A message from the sender `S` with the payload `T`. The signature is verified over the body as
/// it was received, before it is parsed.
///
/// A message with a wrong signature or an old one gets a 400. The sender may deliver a message
/// twice: `id` is then the same.
pub struct Verified<S, T> {
    /// Id of the message.
    pub id: String,
    /// Time of the delivery.
    pub at: Timestamp,
    /// The payload.
    pub payload: T,
    source: std::marker::PhantomData<fn() -> S>,
}

impl<S, T> Verified<S, T> {
    /// Returns the payload.
    pub fn into_inner(self) -> T {
        self.payload
    }
}

impl<S, T: fmt::Debug> fmt::Debug for Verified<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("payload", &self.payload)
            .finish()
    }
}

impl<S: WebhookSource, T: Input> FromRequest for Verified<S, T> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let Some(bytes) = Bytes::from_request(request).await? else {
            return Ok(None);
        };
        let source: S = resolve(request.parts.context.clone()).await?;
        let clock: Arc<dyn Clock> = resolve(request.parts.context.clone()).await?;
        let header = |name: &str| request.parts.header(name);
        let message = verify(&source.secrets(), header, &bytes, clock.now()).map_err(|reason| {
            // Logged, and not shown: it would help a forger.
            Plain::new(&INVALID_SIGNATURE).because(denied_because(reason.reason()))
        })?;
        let at = At::root(Place::Body);
        let before = request.failures.len();
        let value = json::parse(&bytes, &json::Limits::default())?;
        let Some(payload) = T::parse(value, &at, &mut request.failures) else {
            return Ok(None);
        };
        if T::ASYNC && request.failures.len() == before {
            let context = request.parts.context.clone();
            payload.verify(&context, &at, &mut request.failures).await;
        }
        let verified = Self {
            id: message.id,
            at: message.at,
            payload,
            source: std::marker::PhantomData,
        };
        Ok((request.failures.len() == before).then_some(verified))
    }

    fn describe(contract: &mut Contract<'_>) {
        <Json<T> as FromRequest<doyen_web::extract::ViaBody>>::describe(contract);
        for (name, description, schema) in [
            (
                ID_HEADER,
                "Id of the message.",
                Schema::of("string").with("maxLength", 255),
            ),
            (
                TIMESTAMP_HEADER,
                "Time of the delivery, in seconds since 1970.",
                Schema::of("string").with("maxLength", 20),
            ),
            (
                SIGNATURE_HEADER,
                "Signatures, separated by spaces.",
                Schema::of("string").with("maxLength", 8_192),
            ),
        ] {
            contract.operation.parameter(Parameter {
                place: Place::Header,
                name: name.to_owned(),
                required: true,
                schema,
                description: description.to_owned(),
                deprecated: false,
                commas: false,
            });
        }
        contract.operation.fails([&INVALID_SIGNATURE]);
    }

    fn needs(needs: &mut Needs) {
        needs.add::<S>();
        needs.add::<Arc<dyn Clock>>();
    }
}

/// Resolves a value of the graph. Boxed, because the compiler cannot see that the future is `Send`
/// where it is awaited.
fn resolve<T: Inject>(context: Context) -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async move { context.get::<T>().await })
}
