//! Handlers: typed async functions that the router can call.

use std::future::Future;
use std::marker::PhantomData;

use doyen_core::inject::{BoxFuture, Needs};
use doyen_core::{Invalid, Refusal, WorkPhase};
use doyen_schema::contract::Contract;

use crate::Response;
use crate::extract::{FromRequest, FromRequestParts};
use crate::request::Request;
use crate::response::IntoResponse;

/// An async function whose parameters are extractors or injected types and whose return type is
/// [`IntoResponse`]. Only the last parameter can read the body. Up to twelve parameters. `Args` is
/// inferred.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a handler",
    label = "not a handler",
    note = "a handler is an `async fn`; each parameter is an extractor or can be injected, and only the last can read the body",
    note = "add `#[get(..)]` or another route attribute to see which parameter is wrong"
)]
pub trait Handler<Args>: Clone + Send + Sync + 'static {
    /// Reads the parameters, calls the function and creates the response.
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>>;
    /// Adds parameters, body and responses to the contract.
    fn describe(contract: &mut Contract<'_>);
    /// Adds the types that it needs from the injection graph.
    fn needs(needs: &mut Needs);
}

/// A handler with its type erased.
pub(crate) trait Endpoint: Send + Sync {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>>;
}

pub(crate) struct Erased<H, Args>(H, PhantomData<fn() -> Args>);

impl<H, Args> Erased<H, Args> {
    pub(crate) const fn new(handler: H) -> Self {
        Self(handler, PhantomData)
    }
}

impl<Args: 'static, H: Handler<Args>> Endpoint for Erased<H, Args> {
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        self.0.call(request)
    }
}

impl<F, Fut, R> Handler<()> for F
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoResponse,
{
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            check_failures(request)?;
            observe(request, WorkPhase::Handler);
            let response = self().await;
            observe(request, WorkPhase::Other);
            response.into_response(&request.parts)
        })
    }
    fn describe(contract: &mut Contract<'_>) {
        R::describe(contract);
    }
    fn needs(_: &mut Needs) {}
}

/// A handler as the route attributes generate it: a tuple of its parameters, what it returns, and
/// the function. For a parameter that is no extractor, the compiler reports the element of the
/// tuple, which has the position of the type.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a handler",
    note = "a handler has up to twelve parameters"
)]
pub trait Generated {
    /// The parameters and how they are extracted.
    type Args: 'static;
    /// The function.
    type Handler: Handler<Self::Args>;
    /// Returns the function.
    fn handler(self) -> Self::Handler;
}

/// A parameter of a generated handler.
pub struct Part<T, Via>(PhantomData<fn() -> (T, Via)>);

/// Returns a parameter.
pub const fn part<T, Via>() -> Part<T, Via> {
    Part(PhantomData)
}

/// The return type of a generated handler.
pub struct Returned<R>(PhantomData<fn() -> R>);

/// Returns the return type.
pub const fn returned<R>() -> Returned<R> {
    Returned(PhantomData)
}

impl<F, Fut, R> Generated for (Returned<R>, F)
where
    F: Fn() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: IntoResponse,
{
    type Args = ();
    type Handler = F;
    fn handler(self) -> F {
        self.1
    }
}

/// Returns a 422 with all validation failures, if there are any.
pub(crate) fn check_failures(request: &mut Request) -> Result<(), Refusal> {
    if request.failures.is_empty() {
        return Ok(());
    }
    Err(Invalid(std::mem::take(&mut request.failures)).into())
}

/// Reports a phase, if the request is observed.
fn observe(request: &Request, phase: WorkPhase) {
    if let Some(observed) = request.parts.context.observation() {
        observed.phase(phase);
    }
}

/// Returns the error for an extractor that returned `None` without a failure, which is a bug in it.
pub(crate) fn no_failure<T>() -> Refusal {
    doyen_core::Unexpected::new(format!(
        "the extractor `{}` returned neither a value nor a failure",
        std::any::type_name::<T>()
    ))
    .into()
}

macro_rules! handler {
    ($($arg:ident $via:ident),* ; $last:ident $last_via:ident) => {
        impl<F, Fut, R, $($arg, $via,)* $last, $last_via> Handler<($(($arg, $via),)* ($last, $last_via),)> for F
        where
            F: Fn($($arg,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoResponse,
            $($arg: FromRequestParts<$via> + 'static,)*
            $last: FromRequest<$last_via> + 'static,
        {
            #[allow(non_snake_case, reason = "the names of the types are the names of the values")]
            fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
                Box::pin(async move {
                    observe(request, WorkPhase::Extraction);
                    // Read every parameter even if one fails, so that the client gets all failures
                    // at once.
                    $(let $arg = $arg::from_request_parts(request).await?;)*
                    let $last = $last::from_request(request).await?;
                    check_failures(request)?;
                    $(let $arg = $arg.ok_or_else(no_failure::<$arg>)?;)*
                    let $last = $last.ok_or_else(no_failure::<$last>)?;
                    observe(request, WorkPhase::Handler);
                    let response = self($($arg,)* $last).await;
                    observe(request, WorkPhase::Other);
                    response.into_response(&request.parts)
                })
            }
            fn describe(contract: &mut Contract<'_>) {
                $($arg::describe(contract);)*
                $last::describe(contract);
                R::describe(contract);
            }
            fn needs(needs: &mut Needs) {
                $($arg::needs(needs);)*
                $last::needs(needs);
            }
        }

        impl<F, Fut, R, $($arg, $via,)* $last, $last_via> Generated
            for ($(Part<$arg, $via>,)* Part<$last, $last_via>, Returned<R>, F)
        where
            F: Fn($($arg,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: IntoResponse,
            $($arg: FromRequestParts<$via> + 'static, $via: 'static,)*
            $last: FromRequest<$last_via> + 'static,
            $last_via: 'static,
        {
            type Args = ($(($arg, $via),)* ($last, $last_via),);
            type Handler = F;
            #[allow(non_snake_case, reason = "the names of the types are the names of the values")]
            fn handler(self) -> F {
                let ($($arg,)* $last, _, handler) = self;
                let _ = ($($arg,)* $last);
                handler
            }
        }
    };
}

handler!(; L VL);
handler!(A VA; L VL);
handler!(A VA, B VB; L VL);
handler!(A VA, B VB, C VC; L VL);
handler!(A VA, B VB, C VC, D VD; L VL);
handler!(A VA, B VB, C VC, D VD, E VE; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG, H VH; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG, H VH, I VI; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG, H VH, I VI, J VJ; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG, H VH, I VI, J VJ, K VK; L VL);
handler!(A VA, B VB, C VC, D VD, E VE, G VG, H VH, I VI, J VJ, K VK, M VM; L VL);
