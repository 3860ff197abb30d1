//! From an application and its settings to something that answers: engines made, ports wired, the graph checked.

use std::fmt;
use std::sync::Arc;

use doyen_accounts::security::SecurityWriter;
use doyen_accounts::{ApiKeyIdentity, ApiKeys};
use doyen_auth::{
    KeyError, KeyRing, PasswordOptions, Passwords, Seed, SigningKeys, TokenOptions, Tokens,
};
use doyen_core::inject::ContainerBuilder;
use doyen_core::{AccessSink, Clock, Identify, SystemClock};
use doyen_data::{CursorKey, Database, Migrations, Migrator};
use doyen_limit::SqlQuotas;
use doyen_schema::Info;
use doyen_settings::{Environment, Loader, SettingsError};
use doyen_web::{EdgeOptions, Module, Service, StartError};

use crate::app::{App, Command};
use crate::redis::Redis;
use crate::settings::{FrameworkSettings, MigrateMode, Whole};
use crate::system;

/// Why an application does not start. It says what to change.
#[derive(Debug)]
pub enum AssembleError {
    /// Mistakes in the program: routes and graph, every one of them.
    Program(Vec<StartError>),
    /// The settings can not be read.
    Settings(SettingsError),
    /// A setting does not fit.
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// The database can not be reached, or its schema does not fit.
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AssembleError::Program(errors) => {
                write!(f, "the application can not start:")?;
                errors
                    .iter()
                    .try_for_each(|error| write!(f, "\n  - {error}"))
            }
            AssembleError::Settings(error) => error.fmt(f),
            AssembleError::Setting { key, message } => write!(f, "`{key}`: {message}"),
            AssembleError::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AssembleError {}

/// Adds bindings to a container, or replaces some.
pub type Bind = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;

/// What a test replaces.
#[derive(Default)]
pub struct Overrides {
    /// The clock; the system's without one.
    pub clock: Option<Arc<dyn Clock>>,
    /// Where the line of each request goes.
    pub access_log: Option<Arc<dyn AccessSink>>,
    /// How mail is delivered, whatever the settings say.
    pub mailer: Option<Arc<dyn doyen_core::Mailer>>,
    /// Cheap password hashes, for tests alone.
    pub fast_passwords: bool,
    /// Bindings to add or replace.
    pub bindings: Vec<Bind>,
    /// Modules to add.
    pub modules: Vec<Module>,
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overrides").finish_non_exhaustive()
    }
}

/// An application that answers.
#[derive(Debug)]
pub struct Assembled {
    /// Answers requests.
    pub service: Service,
    /// The database.
    pub database: Database,
    /// Which keys sign and are accepted, and how they are rotated.
    pub keys: SigningKeys,
    /// Sends mail in the background.
    pub post: Arc<doyen_mail::Post>,
    /// Writes the security log.
    pub security: Arc<SecurityWriter>,
    /// The API keys.
    pub api_keys: Arc<ApiKeys>,
    /// Counts calls by the day and the month.
    pub quotas: Arc<SqlQuotas>,
    /// The connection to Redis, where `redis.url` is set.
    pub redis: Option<Redis>,
    /// The framework's settings.
    pub settings: FrameworkSettings,
    /// The OpenAPI document, as text.
    pub document: String,
    /// The application's commands.
    pub commands: Vec<Command>,
    /// The demo data, if there is any.
    pub seed: Option<Command>,
    tokens: Arc<Tokens>,
    tables: Vec<(&'static str, Migrations)>,
    migrations: Migrations,
}

impl App {
    /// Reads settings and assembles the application, without serving it: for tests, and for programs with a command line of their own.
    ///
    /// The schema is left as it is; [`Assembled::migrator`] brings it up to date.
    ///
    /// # Errors
    ///
    /// What keeps it from starting, and what to change.
    pub async fn start(
        self,
        loader: Loader,
        overrides: Overrides,
    ) -> Result<Assembled, AssembleError> {
        let loaded = (self.settings.load)(loader).map_err(AssembleError::Settings)?;
        self.assemble(loaded.value, loaded.environment, overrides)
            .await
    }

    /// A word that is another one as soon as a migration is.
    pub fn schema_fingerprint(&self) -> String {
        let mut sets: Vec<Migrations> = self.tables.iter().map(|(_, tables)| *tables).collect();
        sets.extend(self.migrations);
        Migrations::fingerprint_of(&sets)
    }

    /// Makes the engines, wires them and checks the graph. Touches the database only to connect to it and to read which keys are in use.
    pub(crate) async fn assemble(
        self,
        whole: Whole,
        environment: Environment,
        overrides: Overrides,
    ) -> Result<Assembled, AssembleError> {
        let repeated = self.once.repeated.iter();
        let repeated: Vec<_> = repeated
            .map(|what| StartError::Repeated("the application".to_owned(), what))
            .collect();
        if !repeated.is_empty() {
            return Err(AssembleError::Program(repeated));
        }
        let settings = whole.framework.clone();
        let seed = signing_seed(&settings, environment)?;
        let clock = overrides.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let tokens = tokens(&seed, &settings, &clock)?;
        let passwords = passwords(overrides.fast_passwords)?;
        let edge = edge(&settings)?;
        let database = Database::connect(&settings.database.options())
            .await
            .map_err(|error| AssembleError::Database(Box::new(error)))?;
        let database = database.with_cursor_key(CursorKey::new(seed.derive("cursor")));
        let keys = SigningKeys::new(
            database.clone(),
            seed.clone(),
            settings.auth.algorithm.into(),
            Arc::clone(&clock),
        );
        let tokens = Arc::new(tokens.follow(keys.clone()));
        load(&tokens).await?;
        tokens.keep_fresh();

        let security = Arc::new(SecurityWriter::new(database.clone(), Arc::clone(&clock)));
        let api_keys = Arc::new(ApiKeys::new(
            self.name,
            &settings.auth.key,
            database.clone(),
            Arc::clone(&clock),
            Arc::clone(&security),
        ));
        // Without accounts nobody says who owns a key, and nothing revokes a token.
        let accounts = self.tables.iter().any(|(owner, _)| *owner == "auth");
        let mail = crate::post::wire(
            &self.info.title,
            &settings,
            environment,
            accounts,
            overrides.mailer,
            &clock,
        )?;
        let post = Arc::clone(&mail.post);
        let redis = crate::redis::open(&settings.redis)?;
        let sessions = crate::sessions::wire(
            &settings,
            &database,
            &clock,
            &seed,
            self.name,
            redis.as_ref(),
        )?;
        let mut identifiers = crate::sessions::identifiers(
            &sessions,
            &settings,
            accounts,
            Arc::clone(&tokens),
            Arc::clone(&security),
        );
        let key_identity = Arc::new(ApiKeyIdentity::new(Arc::clone(&api_keys)));
        if accounts {
            identifiers = identifiers.with(Arc::clone(&key_identity) as Arc<dyn Identify>);
        }
        let limits = crate::limits::wire(
            self.name,
            &settings.limits,
            &self.policies,
            &clock,
            &database,
            redis.as_ref(),
            settings.redis.patience,
        )?;
        let pages = Arc::new(system::Pages::default());
        let mut builder = Service::builder()
            .options(edge)
            .classifier(doyen_data::classify);
        if let Some(sink) = overrides.access_log {
            builder = builder.access_log(sink);
        }
        builder = builder
            .identify(Arc::new(identifiers))
            .module(system::module());
        for module in self.modules.into_iter().chain(overrides.modules) {
            builder = builder.module(module);
        }
        for command in self.commands.iter().chain(&self.seed) {
            builder = builder.root(&format!("command {}", command.name), command.needs.clone());
        }
        if accounts {
            builder = builder.root("API keys", ApiKeyIdentity::needs());
        }
        if let Some(rates) = limits.rates {
            builder = builder.limits(rates);
        }
        let container = builder.container();
        container.provide(limits.book);
        if let Some(redis) = &redis {
            container.provide(Arc::new(redis.clone()));
        }
        crate::openid::provide(&settings, environment, &seed, &database, &clock, container)?;
        container.provide::<dyn Clock>(clock);
        container.provide(Arc::new(database.clone()));
        container.provide(Arc::clone(&tokens));
        container.provide(passwords);
        container.provide(Arc::new(seed));
        mail.provide(&settings, container);
        container.provide(Arc::clone(&security));
        container.provide(Arc::clone(&api_keys));
        container.provide(Arc::clone(&sessions));
        container.provide(sessions.revocations());
        container.provide(Arc::clone(&pages));
        (whole.provide)(container);
        overrides
            .bindings
            .into_iter()
            .for_each(|bind| bind(container));

        let service = builder.build().map_err(AssembleError::Program)?;
        key_identity.connect(service.container().clone());
        sessions.connect(service.container().clone());
        let document = document(&self.info, &service, accounts);
        let docs = settings.server.docs.unwrap_or(!environment.is_prod());
        pages.fill(&self.info.title, document.clone(), &service, docs);
        Ok(Assembled {
            service,
            database,
            keys,
            security,
            post,
            api_keys,
            quotas: limits.quotas,
            redis,
            settings,
            document,
            commands: self.commands,
            seed: self.seed,
            tokens,
            tables: self.tables,
            migrations: self.migrations.unwrap_or_default(),
        })
    }
}

impl Assembled {
    /// The migrations and the database they are for.
    pub fn migrator(&self) -> Migrator<'_> {
        let migrator = Migrator::new(&self.database, self.migrations);
        self.tables
            .iter()
            .fold(migrator, |migrator, (owner, tables)| {
                migrator.with(owner, *tables)
            })
    }

    /// Brings the schema up to date, or checks that it is, as `database.migrate` says.
    pub(crate) async fn prepare(&self, environment: Environment) -> Result<(), AssembleError> {
        let database = |error: doyen_data::MigrationError| AssembleError::Database(Box::new(error));
        match self.settings.database.mode(environment.is_prod()) {
            MigrateMode::Auto => self.migrator().up().await.map(|_| ()).map_err(database)?,
            MigrateMode::Check => self.migrator().check().await.map_err(database)?,
            MigrateMode::Off => {}
        }
        // What was written at the first start says since when a key is published.
        if let Err(error) = self.keys.begin().await {
            tracing::warn!(%error, "the first signing keys are not written");
        }
        load(&self.tokens).await
    }

    /// Runs a command in a unit of work of its own.
    ///
    /// # Errors
    ///
    /// What the command fails with.
    pub async fn run(
        &self,
        command: &Command,
        arguments: Vec<String>,
    ) -> Result<String, doyen_core::Unexpected> {
        let context = self.service.container().context();
        let done = (command.work)(context.clone(), arguments).await;
        context.close().await;
        done
    }
}

/// The document of a built application.
fn document(info: &Info, service: &Service, accounts: bool) -> String {
    let info = Info {
        tags: service.modules().to_vec(),
        api_keys: accounts,
        ..info.clone()
    };
    doyen_schema::to_text(&doyen_schema::document(
        &info,
        service.operations(),
        service.components(),
    ))
}

pub(crate) fn signing_seed(
    settings: &FrameworkSettings,
    environment: Environment,
) -> Result<Seed, AssembleError> {
    let wrong = |message: String| AssembleError::Setting {
        key: "auth.signing_key",
        message,
    };
    match &settings.auth.signing_key {
        Some(text) => Seed::parse(text.expose()).map_err(|error| wrong(error.to_string())),
        None if environment.is_prod() => Err(wrong(
            "it is not set. In `prod` set APP_AUTH__SIGNING_KEY to 32 random bytes as base64url; `keys generate` prints a new one".to_owned(),
        )),
        None => Seed::load_or_create(&settings.auth.dev_key_file).map_err(|error| wrong(error.to_string())),
    }
}

/// Reads which keys are in use. Where there is no table yet, the first keys of the seed are; keys of another seed are refused.
async fn load(tokens: &Tokens) -> Result<(), AssembleError> {
    match tokens.load().await {
        Err(error @ KeyError::OtherSeed { .. }) => Err(AssembleError::Setting {
            key: "auth.signing_key",
            message: error.to_string(),
        }),
        Err(error @ (KeyError::Database(_) | KeyError::Slow)) => {
            tracing::debug!(%error, "the signing keys are those of a first start");
            Ok(())
        }
        Err(error) => Err(AssembleError::Database(Box::new(error))),
        Ok(()) => Ok(()),
    }
}

fn edge(settings: &FrameworkSettings) -> Result<EdgeOptions, AssembleError> {
    let edge = settings.server.edge();
    edge.map_err(|(key, message)| AssembleError::Setting { key, message })
}

fn tokens(
    seed: &Seed,
    settings: &FrameworkSettings,
    clock: &Arc<dyn Clock>,
) -> Result<Tokens, AssembleError> {
    let ring = KeyRing::first(seed, settings.auth.algorithm.into()).map_err(|error| {
        AssembleError::Setting {
            key: "auth.signing_key",
            message: error.to_string(),
        }
    })?;
    let issuer = &settings.auth.issuer;
    let audience = settings.auth.audience.as_ref().unwrap_or(issuer);
    let mut options = TokenOptions::new(issuer.clone(), audience.clone());
    options.lifetime = settings.auth.access_lifetime;
    Tokens::new(ring, options, Arc::clone(clock)).map_err(|error| AssembleError::Setting {
        key: "auth",
        message: error.to_string(),
    })
}

fn passwords(fast: bool) -> Result<Arc<Passwords>, AssembleError> {
    let options = if fast {
        PasswordOptions::fast_for_tests()
    } else {
        PasswordOptions::default()
    };
    Passwords::new(options)
        .map(Arc::new)
        .map_err(|error| AssembleError::Setting {
            key: "auth",
            message: error.to_string(),
        })
}
