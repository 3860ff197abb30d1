//! The client that is injected.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use doyen_app::Registrar;
use doyen_core::inject::{Context, Node};
use doyen_core::{Inject, Lifetime, Refusal, TraceContext};
use http::Method;
use reqwest::Url;

use crate::guard::{Addresses, Forbidden};
use crate::{Call, Pool};

/// Another service that this one calls.
pub trait Upstream: Send + Sync + 'static {
    /// The name of its section of the settings, below `outbound`, and in metrics and logs: `a-z`,
    /// digits and `_`.
    const NAME: &'static str;
}

/// A client for an upstream. Injectable once the application declares it with [`upstream`].
///
/// A client that is injected into a request ends its calls before the request times out, and
/// continues its trace.
pub struct Client<U: Upstream> {
    scope: Scope,
    upstream: PhantomData<fn() -> U>,
}

/// What a call takes over from the work that makes it.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) pool: Arc<Pool>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) trace: Option<TraceContext>,
}

/// The pool of one upstream: the type tells the pools apart in the injection graph.
pub(crate) struct PoolOf<U> {
    pool: Arc<Pool>,
    upstream: PhantomData<fn() -> U>,
}

impl<U: Upstream> Client<U> {
    /// Starts a call. The target is a path below the `url` of the settings, or a whole URL.
    pub fn request(&self, method: Method, target: impl AsRef<str>) -> Call {
        Call::new(self.scope.clone(), method, target.as_ref())
    }

    /// Starts a `GET`.
    pub fn get(&self, target: impl AsRef<str>) -> Call {
        self.request(Method::GET, target)
    }

    /// Starts a `POST`. It has one try, unless it has an `Idempotency-Key`.
    pub fn post(&self, target: impl AsRef<str>) -> Call {
        self.request(Method::POST, target)
    }

    /// Starts a `PUT`.
    pub fn put(&self, target: impl AsRef<str>) -> Call {
        self.request(Method::PUT, target)
    }

    /// Starts a `PATCH`. It has one try, unless it has an `Idempotency-Key`.
    pub fn patch(&self, target: impl AsRef<str>) -> Call {
        self.request(Method::PATCH, target)
    }

    /// Starts a `DELETE`.
    pub fn delete(&self, target: impl AsRef<str>) -> Call {
        self.request(Method::DELETE, target)
    }

    /// Checks a URL from outside, before it is stored: its form, and the addresses that its name
    /// has now. Each call checks again.
    ///
    /// # Errors
    ///
    /// Returns the reason if the URL must not be called. A name that cannot be resolved is no
    /// reason.
    pub async fn check(&self, url: &str, addresses: Addresses) -> Result<(), Forbidden> {
        let url = Url::parse(url).map_err(|_| Forbidden::Host)?;
        self.scope.pool.check(&url, Some(addresses)).await
    }
}

impl<U: Upstream> Clone for Client<U> {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            upstream: PhantomData,
        }
    }
}

impl<U: Upstream> fmt::Debug for Client<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&U::NAME).finish()
    }
}

impl<U: Upstream> Inject for Client<U> {
    // Cheap to create, and it takes over the deadline of the work that it is injected into.
    const LIFETIME: Lifetime = Lifetime::Call;

    fn node() -> Node {
        Node::of::<Self>(vec![<Arc<PoolOf<U>> as Inject>::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let of = cx.get::<Arc<PoolOf<U>>>().await?;
        let scope = Scope {
            pool: Arc::clone(&of.pool),
            deadline: cx.deadline(),
            trace: cx.trace(),
        };
        Ok(Self {
            scope,
            upstream: PhantomData,
        })
    }
}

/// An upstream of the application: extension point of the plugin [`Outbound`](crate::Outbound).
#[derive(Clone, Copy)]
pub struct DeclaredUpstream {
    pub(crate) name: &'static str,
    pub(crate) provide: fn(&mut Registrar<'_>, Arc<Pool>),
}

/// Declares an upstream: `App::contribute(upstream::<Payments>())`.
pub fn upstream<U: Upstream>() -> DeclaredUpstream {
    DeclaredUpstream {
        name: U::NAME,
        provide: |app, pool| {
            app.provide(Arc::new(PoolOf::<U> {
                pool,
                upstream: PhantomData,
            }));
        },
    }
}

impl fmt::Debug for DeclaredUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeclaredUpstream").field(&self.name).finish()
    }
}
