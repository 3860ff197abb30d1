//! Commands of applications and plugins.

use std::future::Future;
use std::sync::Arc;

use doyen_core::Unexpected;
use doyen_core::inject::{BoxFuture, Context, Inject, Needs};

/// A command of the command line, with the same dependencies as a request.
pub struct Command {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) needs: Needs,
    pub(crate) stage: Stage,
    pub(crate) work: Work,
}

/// A parameter of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    /// A flag is `--name`, without a value.
    pub(crate) is_flag: bool,
    pub(crate) is_optional: bool,
}

/// How far the application must have come before the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing is connected.
    Checked,
    /// The database is connected, and may have any schema.
    Connected,
    /// The schema is up to date and all services have started.
    Started,
}

type Work = Arc<
    dyn Fn(Context, Vec<String>) -> BoxFuture<'static, Result<String, Unexpected>> + Send + Sync,
>;

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Command {
    /// A command of this name (`user create` for two words) with named arguments. It works on one
    /// injected value and returns a line to print. It runs in one unit of work, which is committed
    /// if the command succeeds. Each flag of [`flag`](Self::flag) is passed as `true` or `false`,
    /// after the arguments.
    pub fn new<T, F, Fut>(
        name: &'static str,
        about: &'static str,
        arguments: &'static [&'static str],
        work: F,
    ) -> Self
    where
        T: Inject,
        F: Fn(T, Vec<String>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, Unexpected>> + Send + 'static,
    {
        let mut needs = Needs::default();
        needs.add::<T>();
        let work = Arc::new(work);
        let work: Work = Arc::new(move |cx: Context, arguments| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                let value = cx.get::<T>().await.map_err(unexpected)?;
                let done = work(value, arguments).await;
                match done {
                    Ok(line) => {
                        cx.commit().await.map_err(unexpected)?;
                        Ok(line)
                    }
                    Err(error) => {
                        cx.rollback().await;
                        Err(error)
                    }
                }
            })
        });
        let argument = |name: &&'static str| Parameter {
            name,
            help: "",
            is_flag: false,
            is_optional: false,
        };
        Self {
            name,
            about,
            parameters: arguments.iter().map(argument).collect(),
            needs,
            stage: Stage::Started,
            work,
        }
    }

    /// Adds a flag, `--name`.
    #[must_use]
    pub fn flag(mut self, name: &'static str, help: &'static str) -> Self {
        self.parameters.push(Parameter {
            name,
            help,
            is_flag: true,
            is_optional: false,
        });
        self
    }

    /// Adds an argument that may be missing, after the others and before any flag. It is then
    /// passed as an empty text.
    #[must_use]
    pub fn optional(mut self, name: &'static str, help: &'static str) -> Self {
        self.parameters.push(Parameter {
            name,
            help,
            is_flag: false,
            is_optional: true,
        });
        self
    }

    /// Runs with the database connected and nothing migrated or started: for a command that
    /// repairs what keeps the application from starting.
    #[must_use]
    pub const fn before_start(mut self) -> Self {
        self.stage = Stage::Connected;
        self
    }

    /// Runs without any connection.
    #[must_use]
    pub const fn offline(mut self) -> Self {
        self.stage = Stage::Checked;
        self
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Returns a refusal as an error, for code outside a request.
pub(crate) fn unexpected(refusal: doyen_core::Refusal) -> Unexpected {
    let detail = refusal
        .detail()
        .unwrap_or_else(|| refusal.info().description.to_owned());
    match refusal.cause() {
        Some(cause) => Unexpected::new(format!("{detail} ({})", doyen_core::chain(cause))),
        None => Unexpected::new(detail),
    }
}

/// Returns the text of an error and of its causes.
pub(crate) fn text(error: &Unexpected) -> String {
    doyen_core::chain(error.error())
}
