//! An application: what it is called and what it is made of.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use doyen_accounts::Auth;
use doyen_core::inject::{BoxFuture, Context, Inject, Needs};
use doyen_core::{Scope, Unexpected};
use doyen_data::Migrations;
use doyen_schema::{Info, Licence};
use doyen_settings::Settings;
use doyen_web::Module;

use crate::settings::{AppSettings, NoSettings};

/// Collects modules, migrations, settings and commands.
///
/// ```
/// use doyen::prelude::*;
///
/// fn app() -> App {
///     App::new("shop").title("Shop").version("1.0.0").module(Module::new("orders"))
/// }
/// # let _ = app();
/// ```
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) info: Info,
    pub(crate) modules: Vec<Module>,
    /// Tables of parts of the framework that are mounted, by their owner.
    pub(crate) tables: Vec<(&'static str, Migrations)>,
    pub(crate) migrations: Option<Migrations>,
    pub(crate) commands: Vec<Command>,
    pub(crate) seed: Option<Command>,
    pub(crate) settings: AppSettings,
    pub(crate) policies: Vec<(&'static str, doyen_core::limit::Policy)>,
    pub(crate) once: Once,
}

/// The options that count once, and those that were given more than once.
#[derive(Default)]
pub(crate) struct Once {
    given: HashSet<&'static str>,
    pub(crate) repeated: Vec<&'static str>,
}

impl Once {
    fn give(&mut self, option: &'static str) {
        if !self.given.insert(option) {
            self.repeated.push(option);
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.name)
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

/// Something to do from the command line, with the same graph as a request.
pub struct Command {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) needs: Needs,
    pub(crate) work: Work,
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
    /// A command of this name (`user create` for two words), with named arguments, that works on one injected value and gives a line to
    /// print. It runs in one unit of work: committed when it succeeds.
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
                let value = cx.get::<T>().await.map_err(refused)?;
                let done = work(value, arguments).await;
                match done {
                    Ok(line) => {
                        cx.commit().await.map_err(refused)?;
                        Ok(line)
                    }
                    Err(error) => {
                        cx.rollback().await;
                        Err(error)
                    }
                }
            })
        });
        Self {
            name,
            about,
            arguments,
            needs,
            work,
        }
    }
}

/// A refusal where nobody speaks HTTP.
pub(crate) fn refused(refusal: doyen_core::Refusal) -> Unexpected {
    let detail = refusal
        .detail()
        .unwrap_or_else(|| refusal.info().description.to_owned());
    match refusal.cause() {
        Some(cause) => Unexpected::new(format!("{detail} ({cause})")),
        None => Unexpected::new(detail),
    }
}

impl App {
    /// An application of this name: the name of its binary.
    pub fn new(name: &'static str) -> Self {
        let info = Info {
            title: name.to_owned(),
            version: "0.1.0".to_owned(),
            ..Info::default()
        };
        Self {
            name,
            info,
            modules: Vec::new(),
            tables: vec![
                ("keys", doyen_auth::KEY_TABLES),
                ("limits", doyen_limit::TABLES),
            ],
            migrations: None,
            commands: Vec::new(),
            seed: None,
            settings: AppSettings::of::<NoSettings>(),
            policies: Vec::new(),
            once: Once::default(),
        }
    }

    /// The name of its binary.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name people read.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.info.title);
        self
    }

    /// The version of the API, in the document.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.info.version);
        self
    }

    /// What the API is for, as Markdown.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.info.description);
        self
    }

    /// The licence of the API, by its SPDX expression.
    #[must_use]
    pub fn licence(mut self, name: &str, identifier: &str) -> Self {
        self.info.licence = Some(Licence {
            name: name.to_owned(),
            identifier: identifier.to_owned(),
        });
        self
    }

    /// Whom to ask about the API: a name and an address, `https:` or `mailto:`.
    #[must_use]
    pub fn contact(mut self, name: &str, address: &str) -> Self {
        self.info.contact = Some((name.to_owned(), address.to_owned()));
        self
    }

    /// The scopes, to explain them in the document.
    #[must_use]
    pub fn scopes<S: Scope>(mut self) -> Self {
        self.once.give("App::scopes");
        self.info.scopes = S::all()
            .into_iter()
            .map(|scope| (scope.name().to_owned(), scope.description().to_owned()))
            .collect();
        self
    }

    /// Adds a domain.
    #[must_use]
    pub fn module(mut self, module: Module) -> Self {
        self.modules.push(module);
        self
    }

    /// Mounts accounts: log in, sessions, keys. See [`Auth`].
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.once.give("App::auth");
        self.once.repeated.extend(auth.repeated());
        self.tables.push(("auth", doyen_accounts::TABLES));
        self.module(auth.into_module())
    }

    /// The migrations: `doyen::migrations!("migrations")`.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.once.give("App::migrations");
        self.migrations = Some(migrations);
        self
    }

    /// Declares a limit that routes name with `limit = policy("search")`. The setting `limits.policies` replaces its numbers.
    #[must_use]
    pub fn policy(mut self, name: &'static str, policy: doyen_core::limit::Policy) -> Self {
        self.policies.push((name, policy));
        self
    }

    /// Settings of your own beside the framework's; asked for as `Arc<S>`.
    #[must_use]
    pub fn settings<S: Settings + Send + Sync + 'static>(mut self) -> Self {
        self.once.give("App::settings");
        self.settings = AppSettings::of::<S>();
        self
    }

    /// Demo data: run by `seed`, and in `dev` by the first start on an empty database.
    #[must_use]
    pub fn seed<T, F, Fut>(mut self, work: F) -> Self
    where
        T: Inject,
        F: Fn(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, Unexpected>> + Send + 'static,
    {
        self.once.give("App::seed");
        self.seed = Some(Command::new::<T, _, _>(
            "seed",
            "Fills the database with demo data",
            &[],
            move |value, _| work(value),
        ));
        self
    }

    /// Adds a command.
    #[must_use]
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }
}
