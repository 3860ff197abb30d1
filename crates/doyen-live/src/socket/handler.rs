//! Functions that handle the messages of sockets, as routes.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use doyen_core::inject::{BoxFuture, Context, Inject, Needs};
use doyen_core::problem::UNAVAILABLE;
use doyen_core::{Access, At, FORBIDDEN, Failures, Invalid, Place, Refusal};
use doyen_schema::contract::{Answer, Contract, Parameter, SocketContract};
use doyen_schema::input::json;
use doyen_schema::{Input, Output, Schema};
use doyen_web::{Handler, Request, Response};

use super::connection::{Connection, Shared};
use super::handshake::{BAD_HANDSHAKE, FORBIDDEN_ORIGIN, UPGRADE_REQUIRED};
use super::session;
use crate::admission::TOO_MANY_CONNECTIONS;
use crate::feed::text_of;
use crate::hub::Hub;
use crate::tokens::CONNECTION_TOKEN;
use crate::work::WorkContext;

/// Why a message was rejected, as the messages of an application show it.
#[derive(Clone, Debug)]
pub struct SocketProblem {
    /// Stable code, as of the problems of requests.
    pub code: String,
    /// What was wrong.
    pub detail: String,
    /// The topic, if the message is [about](Connection::about) one.
    pub topic: Option<String>,
    /// Validation failures.
    pub errors: Vec<SocketFailure>,
}

/// A validation failure of a message.
#[derive(Clone, Debug)]
pub struct SocketFailure {
    /// JSON Pointer into the message.
    pub pointer: String,
    /// Stable code.
    pub code: String,
    /// What was wrong.
    pub message: String,
}

impl SocketProblem {
    /// Returns what a client sees of a refusal.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        let info = refusal.info();
        let failures = refusal.failures().into_iter().flatten();
        Self {
            code: info.code.to_owned(),
            detail: refusal
                .detail()
                .unwrap_or_else(|| info.description.to_owned()),
            topic: None,
            errors: failures
                .map(|failure| SocketFailure {
                    pointer: failure.pointer.clone(),
                    code: failure.code.to_owned(),
                    message: failure.message.clone(),
                })
                .collect(),
        }
    }
}

/// A function that handles the messages of a socket:
/// `async fn(connection: Connection<Out>, message: In, ..) -> Result<(), E>`. The other parameters
/// are injected, up to six.
///
/// It is called for each message, one after another, in a unit of work of its own. An error becomes
/// a message ([`SocketProblem`]), and the socket stays open.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the messages of a socket",
    note = "write `async fn(connection: Connection<Out>, message: In, ..) -> Result<(), E>`: `In` derives `Input`, `Out` derives `Output` and implements `From<SocketProblem>`, and the other parameters can be injected"
)]
pub trait SocketHandler<Args>: Clone + Send + Sync + 'static {
    /// A message from the client.
    type In: Input + Send;
    /// A message from the server.
    type Out: Output + From<SocketProblem> + 'static;

    /// Adds what it injects.
    fn needs(needs: &mut Needs);

    /// Injects the parameters and calls the function.
    fn call(
        self,
        cx: Context,
        connection: Connection<Self::Out>,
        message: Self::In,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
}

macro_rules! handler {
    ($($name:ident),*) => {
        #[allow(non_snake_case, reason = "a parameter for each type")]
        impl<Function, Fut, Error, In, Out, $($name),*> SocketHandler<(In, Out, $($name,)*)> for Function
        where
            Function: Fn(Connection<Out>, In, $($name),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<(), Error>> + Send,
            Error: Into<Refusal>,
            In: Input + Send,
            Out: Output + From<SocketProblem> + 'static,
            $($name: Inject,)*
        {
            type In = In;
            type Out = Out;

            fn needs(needs: &mut Needs) {
                let _ = &needs;
                $(needs.add::<$name>();)*
            }

            async fn call(self, cx: Context, connection: Connection<Out>, message: In) -> Result<(), Refusal> {
                let _ = &cx;
                $(let $name = cx.get::<$name>().await?;)*
                self(connection, message, $($name),*).await.map_err(Into::into)
            }
        }
    };
}

handler!();
handler!(A);
handler!(A, B);
handler!(A, B, C);
handler!(A, B, C, D);
handler!(A, B, C, D, F);
handler!(A, B, C, D, F, G);

/// A handler of messages, as the handler of a route.
pub struct SocketRoute<H, Args>(H, PhantomData<fn() -> Args>);

impl<H: Clone, Args> Clone for SocketRoute<H, Args> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<H, Args> std::fmt::Debug for SocketRoute<H, Args> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SocketRoute").finish_non_exhaustive()
    }
}

/// Makes the handler of a route from a function that handles messages. `#[socket(..)]` does it.
pub const fn socket<Args, H: SocketHandler<Args>>(handler: H) -> SocketRoute<H, Args> {
    SocketRoute(handler, PhantomData)
}

/// Distinguishes sockets from other handlers. Inferred.
#[derive(Debug)]
pub struct ViaSocket;

impl<Args: 'static, H: SocketHandler<Args>> Handler<(ViaSocket, Args)> for SocketRoute<H, Args> {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            if !request.failures.is_empty() {
                return Err(Invalid(std::mem::take(&mut request.failures)).into());
            }
            let hub = request.parts.context.get::<Arc<Hub>>().await?;
            let messages: Arc<dyn Messages> = Arc::new(self.clone());
            session::open(hub, &request.parts, messages).await
        })
    }

    fn describe(contract: &mut Contract<'_>) {
        let operation = &mut *contract.operation;
        operation.socket = Some(SocketContract {
            receives: H::In::schema,
            sends: H::Out::schema,
            protocol: None,
        });
        let answer = Answer::empty(101, "The connection is a WebSocket.");
        operation.answers.push(answer);
        operation.parameter(Parameter {
            place: Place::Query,
            name: "token".to_owned(),
            required: false,
            schema: Schema::of("string").with("maxLength", 128),
            description:
                "Single-use connection token, for clients that cannot send credentials in a header."
                    .to_owned(),
            deprecated: false,
            commas: false,
        });
        operation.fails([
            &UPGRADE_REQUIRED,
            &BAD_HANDSHAKE,
            &FORBIDDEN_ORIGIN,
            &TOO_MANY_CONNECTIONS,
            &CONNECTION_TOKEN,
            &FORBIDDEN,
            &UNAVAILABLE,
        ]);
    }

    fn needs(needs: &mut Needs) {
        needs.add::<Arc<Hub>>();
        H::needs(needs);
    }
}

/// A handler of messages without its types.
pub(crate) trait Messages: Send + Sync {
    /// Handles a message in a unit of work.
    fn handle(
        &self,
        work: WorkContext,
        shared: Arc<Shared>,
        text: String,
    ) -> BoxFuture<'static, Result<(), Refusal>>;

    /// Writes a problem as a message.
    fn problem(&self, problem: SocketProblem) -> Option<String>;
}

impl<Args: 'static, H: SocketHandler<Args>> Messages for SocketRoute<H, Args> {
    fn handle(
        &self,
        work: WorkContext,
        shared: Arc<Shared>,
        text: String,
    ) -> BoxFuture<'static, Result<(), Refusal>> {
        let handler = self.0.clone();
        Box::pin(async move {
            work.run(Access::Write, |cx| async move {
                let message = parse::<H::In>(&text, &cx).await?;
                handler.call(cx, Connection::of(shared), message).await
            })
            .await
        })
    }

    fn problem(&self, problem: SocketProblem) -> Option<String> {
        text_of(&H::Out::from(problem)).ok()
    }
}

async fn parse<In: Input + Send>(text: &str, cx: &Context) -> Result<In, Refusal> {
    let at = At::root(Place::Body);
    let mut failures = Failures::new();
    let value = json::parse(text.as_bytes(), &json::Limits::default())?;
    let message = In::parse(value, &at, &mut failures);
    if let Some(message) = &message
        && In::ASYNC
        && failures.is_empty()
    {
        message.verify(cx, &at, &mut failures).await;
    }
    match message {
        Some(message) if failures.is_empty() => Ok(message),
        _ => Err(Invalid(failures).into()),
    }
}
