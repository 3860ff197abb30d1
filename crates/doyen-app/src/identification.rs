//! Security schemes of the application: `App::identify`.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use doyen_core::inject::{BoxFuture, Container, Context, Inject, Needs, RequestFacts};
use doyen_core::problem::Challenged;
use doyen_core::{
    Access, Caller, CredentialHeader, Identify, Kind, Problem, ProblemInfo, Refusal,
    RequestCredentials, SecurityScheme, Unexpected,
};
use doyen_web::Credentials;
use doyen_web::extract::{Scheme, credential};

/// What a function for [`App::identify`](crate::App::identify) returns: a caller, or `None` if the
/// credentials are not known to it. The next scheme is asked then.
pub trait IntoCaller: Send {
    /// Returns the caller.
    fn into_caller(self) -> Option<Arc<Caller>>;
}

impl IntoCaller for Caller {
    fn into_caller(self) -> Option<Arc<Caller>> {
        Some(Arc::new(self))
    }
}

impl IntoCaller for Arc<Caller> {
    fn into_caller(self) -> Option<Arc<Caller>> {
        Some(self)
    }
}

impl<C: IntoCaller> IntoCaller for Option<C> {
    fn into_caller(self) -> Option<Arc<Caller>> {
        self?.into_caller()
    }
}

type Found = Result<Option<Arc<Caller>>, Refusal>;

/// Reads the credentials, and starts the check. `None` without credentials.
type Check = Box<
    dyn Fn(
            &RequestCredentials<'_>,
            &Container,
        ) -> Result<Option<BoxFuture<'static, Found>>, Refusal>
        + Send
        + Sync,
>;

/// A scheme, and the function that checks its credentials.
pub(crate) struct Identification {
    scheme: SecurityScheme,
    problems: Vec<&'static ProblemInfo>,
    pub(crate) needs: Needs,
    check: Check,
    container: OnceLock<Container>,
}

impl Identification {
    pub(crate) fn new<T, S, F, Fut, C, E>(check: F) -> Self
    where
        T: Inject,
        S: Scheme,
        F: Fn(T, Credentials<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, E>> + Send + 'static,
        C: IntoCaller + 'static,
        E: Problem,
    {
        let mut needs = Needs::default();
        needs.add::<T>();
        let check = Arc::new(check);
        let check: Check = Box::new(move |credentials, container| {
            let Some(given) = credential::<S>(credentials)? else {
                return Ok(None);
            };
            let facts = RequestFacts {
                access: Some(Access::Read),
                caller: Some(None),
                ..RequestFacts::default()
            };
            let release = Release(container.context_of(facts));
            let check = Arc::clone(&check);
            Ok(Some(Box::pin(async move {
                let value = release.0.get::<T>().await?;
                let found = check(value, given).await?;
                Ok(found.into_caller())
            })))
        });
        Self {
            scheme: S::scheme(),
            problems: E::catalogue(),
            needs,
            check,
            container: OnceLock::new(),
        }
    }

    /// The name of the scheme.
    pub(crate) fn name(&self) -> &str {
        self.scheme.name()
    }

    /// Sets the graph of the built application.
    pub(crate) fn connect(&self, container: Container) {
        let _ = self.container.set(container);
    }

    /// Adds the challenge of the scheme to a 401.
    fn challenged(&self, refusal: Refusal) -> Refusal {
        if refusal.info().kind != Kind::Unauthenticated {
            return refusal;
        }
        match self.scheme.challenge() {
            Some(challenge) => {
                let challenge = format!("{challenge}, error=\"invalid_token\"");
                Challenged::new(refusal, challenge).into()
            }
            None => refusal,
        }
    }
}

#[async_trait::async_trait]
impl Identify for Identification {
    async fn identify(&self, credentials: RequestCredentials<'_>) -> Found {
        let Some(container) = self.container.get() else {
            return Err(Unexpected::new("identification before the start").into());
        };
        let check = match (self.check)(&credentials, container)? {
            Some(check) => check,
            None => return Ok(None),
        };
        check.await.map_err(|refusal| self.challenged(refusal))
    }

    fn credential_headers(&self) -> Vec<CredentialHeader> {
        self.scheme.credential_header().into_iter().collect()
    }

    fn schemes(&self) -> Vec<SecurityScheme> {
        vec![self.scheme.clone()]
    }

    fn problems(&self) -> Vec<&'static ProblemInfo> {
        self.problems.clone()
    }
}

/// Releases what was created for the check, also if the client disconnects meanwhile.
struct Release(Context);

impl Drop for Release {
    fn drop(&mut self) {
        if self.0.is_light() {
            return;
        }
        let context = self.0.clone();
        // Without a runtime the process ends, and the database rolls back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                context.rollback().await;
                context.close().await;
            });
        }
    }
}
