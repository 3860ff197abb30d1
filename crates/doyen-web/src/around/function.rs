//! Functions around a handler.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use doyen_core::inject::{BoxFuture, Needs};
use doyen_core::{Invalid, Problem, Refusal};
use doyen_schema::contract::Contract;

use super::endpoint::{close, open};
use super::next::{Call, Next, Request, Stack};
use super::passage::{Passage, Refuser};
use crate::Response;
use crate::extract::FromRequestParts;
use crate::handler::no_failure;

/// An async function around a handler: up to six extractors or injected types, then the request and
/// [`Next`]. It returns a [`Response`], or a `Result` of one and an error that derives
/// `Problem`. `Args` is inferred.
#[diagnostic::on_unimplemented(
    message = "this function cannot surround a handler",
    label = "not `async fn(.., Request, Next) -> Response`",
    note = "the last two parameters are `Request` and `Next`; those before them are extractors or can be injected",
    note = "it returns `Response`, or `Result<Response, E>` where `E` has `#[derive(Problem)]`",
    note = "around the whole application it has no further parameters, since neither a route nor a caller is known there",
    note = "add `#[around]` to see which parameter is wrong"
)]
pub trait Around<Args>: Clone + Send + Sync + 'static {
    /// True if it has extractors or injected types.
    #[doc(hidden)]
    const READS_PARTS: bool;
    /// Calls the function.
    #[doc(hidden)]
    fn call(self, request: Request, next: Next) -> BoxFuture<'static, Result<Response, Refusal>>;
    /// Adds its parameters and problems to the contract of a route.
    #[doc(hidden)]
    fn describe(contract: &mut Contract<'_>);
    /// Adds the types that it needs from the injection graph.
    #[doc(hidden)]
    fn needs(needs: &mut Needs);
}

/// The return type of a function around a handler.
#[diagnostic::on_unimplemented(
    message = "a function around a handler cannot return `{Self}`",
    label = "not a `Response`",
    note = "return `Response`, or `Result<Response, E>` where `E` has `#[derive(Problem)]`"
)]
pub trait AroundResponse: Send {
    /// Returns the response, or the problem to send instead.
    ///
    /// # Errors
    ///
    /// Returns the problem.
    fn into_outcome(self) -> Result<Response, Refusal>;
    /// Adds its problems to the contract.
    fn describe(_: &mut Contract<'_>) {}
}

impl AroundResponse for Response {
    fn into_outcome(self) -> Result<Response, Refusal> {
        Ok(self)
    }
}

impl<E: Problem> AroundResponse for Result<Response, E> {
    fn into_outcome(self) -> Result<Response, Refusal> {
        Ok(self?)
    }
    fn describe(contract: &mut Contract<'_>) {
        contract.operation.fails(E::catalogue());
    }
}

impl<F, Fut, R> Around<()> for F
where
    F: Fn(Request, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: AroundResponse,
{
    const READS_PARTS: bool = false;
    fn call(self, request: Request, next: Next) -> BoxFuture<'static, Result<Response, Refusal>> {
        Box::pin(async move { self(request, next).await.into_outcome() })
    }
    fn describe(contract: &mut Contract<'_>) {
        R::describe(contract);
    }
    fn needs(_: &mut Needs) {}
}

macro_rules! around {
    ($($arg:ident $via:ident),+) => {
        impl<F, Fut, R, $($arg, $via,)+> Around<($(($arg, $via),)+)> for F
        where
            F: Fn($($arg,)+ Request, Next) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send + 'static,
            R: AroundResponse,
            $($arg: FromRequestParts<$via> + 'static,)+
        {
            const READS_PARTS: bool = true;
            #[allow(non_snake_case, reason = "the names of the types are the names of the values")]
            fn call(self, request: Request, next: Next) -> BoxFuture<'static, Result<Response, Refusal>> {
                Box::pin(async move {
                    let mut request = open(request)?;
                    // The failures so far are those of the query, which the handler reports.
                    $(let $arg = $arg::from_request_parts(&mut request).await?;)+
                    if ($($arg.is_none())||+) && !request.failures.is_empty() {
                        return Err(Invalid(std::mem::take(&mut request.failures)).into());
                    }
                    $(let $arg = $arg.ok_or_else(no_failure::<$arg>)?;)+
                    self($($arg,)+ close(request), next).await.into_outcome()
                })
            }
            fn describe(contract: &mut Contract<'_>) {
                $($arg::describe(contract);)+
                R::describe(contract);
            }
            fn needs(needs: &mut Needs) {
                $($arg::needs(needs);)+
            }
        }
    };
}

around!(A VA);
around!(A VA, B VB);
around!(A VA, B VB, C VC);
around!(A VA, B VB, C VC, D VD);
around!(A VA, B VB, C VC, D VD, E VE);
around!(A VA, B VB, C VC, D VD, E VE, G VG);

/// A function that was applied.
struct Applied<F, Args> {
    function: F,
    inner: Stack,
    refuser: Refuser,
    args: PhantomData<fn() -> Args>,
}

impl<Args, F: Around<Args>> Call for Applied<F, Args> {
    fn call(&self, request: Request) -> BoxFuture<'static, Response> {
        let passage = Passage::of(&request);
        let refuser = self.refuser.clone();
        let next = Next(Arc::clone(&self.inner));
        let work = self.function.clone().call(request, next);
        Box::pin(async move {
            match work.await {
                Ok(response) => response,
                Err(refusal) => refuser.refuse(refusal, passage).await,
            }
        })
    }
}

/// Applies a function.
pub(super) fn apply<Args: 'static, F: Around<Args>>(
    function: F,
    inner: Stack,
    refuser: &Refuser,
) -> Stack {
    Arc::new(Applied {
        function,
        inner,
        refuser: refuser.clone(),
        args: PhantomData::<fn() -> Args>,
    })
}
