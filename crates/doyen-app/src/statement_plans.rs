//! Plans of statements, for the console.

use std::fmt;
use std::sync::Arc;

use doyen_core::Unexpected;
use doyen_core::inject::BoxFuture;

type Explain = dyn Fn(String) -> BoxFuture<'static, Result<String, Unexpected>> + Send + Sync;

/// Shows the plan of a statement without running it: extension point of the plugin `admin` for
/// [`Registrar::contribute`](crate::Registrar::contribute).
#[derive(Clone)]
pub struct StatementPlans(Arc<Explain>);

impl StatementPlans {
    /// Creates it from a function that returns the plan as text.
    pub fn new<F, Fut>(explain: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, Unexpected>> + Send + 'static,
    {
        Self(Arc::new(move |sql| Box::pin(explain(sql))))
    }

    /// Returns the plan.
    ///
    /// # Errors
    ///
    /// Returns an error if the statement has no plan, or the database is unavailable.
    pub async fn explain(&self, sql: &str) -> Result<String, Unexpected> {
        (self.0)(sql.to_owned()).await
    }
}

impl fmt::Debug for StatementPlans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementPlans").finish_non_exhaustive()
    }
}
