//! From a typed async function to something the router can call.

use std::future::Future;
use std::marker::PhantomData;

use doyen_core::inject::{BoxFuture, Needs};
use doyen_core::{Invalid, Refusal};
use doyen_schema::contract::Contract;

use crate::Response;
use crate::extract::{FromParts, FromRequest};
use crate::request::Request;
use crate::respond::Respond;

/// An async function whose parameters are extractors or injected types, the last one perhaps reading the body, and whose answer is a
/// [`Respond`]. Up to twelve parameters. `Args` is inferred.
#[diagnostic::on_unimplemented(
    message = "this function can not be a handler",
    label = "not a handler",
    note = "a handler is an `async fn`; each parameter is an extractor or can be injected, only the last may read the body",
    note = "write `#[get(..)]` or its kin above it to be told which parameter is wrong"
)]
pub trait Handler<Args>: Clone + Send + Sync + 'static {
    /// Reads the parameters, calls the function, makes the response.
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>>;
    /// Writes the contract.
    fn describe(contract: &mut Contract<'_>);
    /// Says what it needs from the graph.
    fn needs(needs: &mut Needs);
}

/// A handler without its type: what a route keeps.
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
    R: Respond,
{
    fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
        Box::pin(async move {
            refuse_failures(request)?;
            let answer = self().await;
            answer.respond(&request.parts)
        })
    }
    fn describe(contract: &mut Contract<'_>) {
        R::describe(contract);
    }
    fn needs(_: &mut Needs) {}
}

/// 422 with everything that was found wrong, if anything was.
fn refuse_failures(request: &mut Request) -> Result<(), Refusal> {
    if request.failures.is_empty() {
        return Ok(());
    }
    Err(Invalid(std::mem::take(&mut request.failures)).into())
}

/// A value whose extractor said `None` without a reason: a fault of that extractor.
fn nothing<T>() -> Refusal {
    doyen_core::Unexpected::new(format!(
        "the extractor `{}` gave neither a value nor a reason",
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
            R: Respond,
            $($arg: FromParts<$via> + 'static,)*
            $last: FromRequest<$last_via> + 'static,
        {
            #[allow(non_snake_case, reason = "the names of the types are the names of the values")]
            fn call<'a>(&'a self, request: &'a mut Request) -> BoxFuture<'a, Result<Response, Refusal>> {
                Box::pin(async move {
                    // Each parameter is read even when one before it failed: the client learns everything at once.
                    $(let $arg = $arg::from_parts(request).await?;)*
                    let $last = $last::from_request(request).await?;
                    refuse_failures(request)?;
                    $(let $arg = $arg.ok_or_else(nothing::<$arg>)?;)*
                    let $last = $last.ok_or_else(nothing::<$last>)?;
                    let answer = self($($arg,)* $last).await;
                    answer.respond(&request.parts)
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
