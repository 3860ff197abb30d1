//! Modules: what a domain adds to an application.

use std::any::{Any, TypeId, type_name};
use std::sync::Arc;

use doyen_core::event::{EventHandler, HandleEvent};
use doyen_core::inject::{ContainerBuilder, Inject, Need, Needs};
use doyen_core::table::{HasTable, Table};
use doyen_core::{Job, JobHandler, Port, Schedule, Strictness};

use crate::around::{Around, BoxLayer, TowerLayer};
use crate::extract::FromRequestParts;
use crate::guard::Guard;
use crate::route::{Route, Routes};

/// The routes, bindings and event handlers of one domain.
///
/// ```
/// use doyen_core::anyone;
/// use doyen_web::{Module, NoContent, Route, Routes};
///
/// async fn list() -> NoContent {
///     NoContent
/// }
///
/// fn module() -> Module {
///     // With the attributes: `routes![list].at("/orders")`.
///     let list = Route::get("/").name("list").allow(anyone).handler(list);
///     Module::new("orders").routes(Routes::new(vec![list]).at("/orders"))
/// }
/// # let _ = module();
/// ```
pub struct Module {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) bindings: Vec<Bind>,
    pub(crate) guards: Vec<Guard>,
    /// Around all routes. The first one is the outermost.
    pub(crate) layers: Vec<BoxLayer>,
    events: Vec<EventHandler>,
    jobs: ModuleJobs,
    tables: Vec<Table>,
}

/// The background jobs of a module.
#[derive(Debug, Default)]
pub struct ModuleJobs {
    /// The handlers.
    pub handlers: Vec<JobHandler>,
    /// The schedules.
    pub schedules: Vec<Schedule>,
}

/// One binding, with the type that it supplies.
pub(crate) struct Bind {
    id: TypeId,
    name: &'static str,
    need: Option<Need>,
    pub(crate) apply: Box<dyn FnOnce(&mut ContainerBuilder) + Send>,
}

/// What a module claims: names that it can share with no other module.
#[derive(Debug, Default)]
pub struct ModuleClaims {
    /// Method and path of each route.
    pub routes: Vec<String>,
    /// Operation ids.
    pub operations: Vec<String>,
    /// Types that it supplies, and what their adapters need.
    pub bindings: Vec<(TypeId, &'static str, Option<Need>)>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.name)
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

impl Module {
    /// Creates a module. Its name is the tag of its routes and the prefix of their operation ids.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            routes: Vec::new(),
            bindings: Vec::new(),
            guards: Vec::new(),
            layers: Vec::new(),
            events: Vec::new(),
            jobs: ModuleJobs::default(),
            tables: Vec::new(),
        }
    }

    /// Sets the description in the OpenAPI document.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Adds routes.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes.extend(routes.0);
        self
    }

    /// Sets how strictly requests of the routes so far are read. Switches that a route sets itself
    /// stay.
    #[must_use]
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        for route in &mut self.routes {
            route.strictness = route.strictness.or(strictness);
        }
        self
    }

    /// Adds one route: one made with the builder, a [mount](Route::mount), a folder of files.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds a [guard](Route::guard) to all routes of the module, before those of each route.
    #[must_use]
    pub fn guard<G: FromRequestParts + 'static>(mut self) -> Self {
        self.guards.push(Guard::of::<G>());
        self
    }

    /// Adds a function around all routes of the module: see [`Around`]. The first one that is added
    /// is the outermost.
    #[must_use]
    pub fn around<Args: 'static, F: Around<Args>>(mut self, function: F) -> Self {
        self.layers.push(BoxLayer::around(function));
        self
    }

    /// Adds a `tower` layer around all routes of the module. It is applied to each route.
    #[must_use]
    pub fn layer(mut self, layer: impl TowerLayer) -> Self {
        self.layers.push(layer.boxed());
        self
    }

    /// Binds a port to its adapter.
    #[must_use]
    pub fn bind<P: ?Sized + Port<A>, A: Inject>(mut self) -> Self {
        self.bindings.push(Bind {
            id: TypeId::of::<Arc<P>>(),
            name: type_name::<P>(),
            need: Some(A::node),
            apply: Box::new(|container| container.bind::<P, A>()),
        });
        self
    }

    /// Provides a value, which can be injected as `Arc<T>`.
    #[must_use]
    pub fn provide<T: ?Sized + Any + Send + Sync>(mut self, value: Arc<T>) -> Self {
        self.bindings.push(Bind {
            id: TypeId::of::<Arc<T>>(),
            name: type_name::<T>(),
            need: None,
            apply: Box::new(move |container| container.provide(value)),
        });
        self
    }

    /// Delivers events to a function: `async fn(event, ..) -> Result<(), E>`. Its first parameter
    /// is a type that derives `EventData`, or `Delivery<_>` of one, or `RecordedEvent`. The others
    /// are injected, as in a route.
    ///
    /// `name` is stored with each pending delivery. It is unique in the application, and the same
    /// on all nodes. The plugin `events` calls the function: see [`HandleEvent`].
    ///
    /// ```
    /// # extern crate doyen_core as doyen;
    /// use doyen_core::{EventData, Unexpected};
    /// use doyen_web::Module;
    ///
    /// #[derive(EventData)]
    /// #[event(topic = "order.placed")]
    /// struct OrderPlaced {
    ///     order: String,
    /// }
    ///
    /// async fn reserve_stock(event: OrderPlaced) -> Result<(), Unexpected> {
    /// #   let _ = event.order;
    ///     Ok(())
    /// }
    ///
    /// fn module() -> Module {
    ///     Module::new("stock").on("reserve_stock", reserve_stock)
    /// }
    /// # let _ = module();
    /// ```
    #[must_use]
    pub fn on<P, H: HandleEvent<P>>(self, name: &'static str, handler: H) -> Self {
        self.event_handler(EventHandler::new(name, handler))
    }

    /// Adds a handler of events with options: topics with wildcards, and the policy for later
    /// events after one is parked.
    #[must_use]
    pub fn event_handler(mut self, handler: EventHandler) -> Self {
        self.events.push(handler);
        self
    }

    /// Takes the event handlers out of the module, for the plugin that calls them.
    pub fn take_event_handlers(&mut self) -> Vec<EventHandler> {
        std::mem::take(&mut self.events)
    }

    /// Adds the handler of a background job. The application needs the plugin `jobs`.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        self.jobs.handlers.push(JobHandler::of::<J>());
        self
    }

    /// Adds a schedule: a job that is enqueued at times of the calendar.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.jobs.schedules.push(schedule);
        self
    }

    /// Takes the background jobs out of the module, for the plugin that runs them.
    pub fn take_jobs(&mut self) -> ModuleJobs {
        std::mem::take(&mut self.jobs)
    }

    /// Declares the table of an entity: `entity::<infrastructure::order::Entity>()`. `migrate
    /// status` then compares it with the database, and `doyen generate migration` with the
    /// migrations.
    /// An entity of a view, or of a part of a table, is not declared.
    #[must_use]
    pub fn entity<E: HasTable>(mut self) -> Self {
        self.tables.push(E::table());
        self
    }

    /// Takes the declared tables out of the module.
    pub fn take_tables(&mut self) -> Vec<Table> {
        std::mem::take(&mut self.tables)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names that the module claims.
    pub fn claims(&self) -> ModuleClaims {
        let mut claims = ModuleClaims::default();
        for route in &self.routes {
            let operation = &route.operation;
            claims
                .routes
                .push(format!("{} {}", operation.method, operation.path));
            claims.operations.push(route.operation_id(&self.name));
        }
        let supplied = self.bindings.iter();
        let supplied = supplied.map(|bind| (bind.id, bind.name, bind.need));
        claims.bindings.extend(supplied);
        claims
    }

    /// Returns what each route injects, for a check of the dependencies.
    pub fn needs(&self) -> Vec<(String, Needs)> {
        let of_route = |route: &Route| {
            let operation = &route.operation;
            let route = route.clone().within(&self.guards, &self.layers);
            (
                format!("{} {}", operation.method, operation.path),
                route.needs,
            )
        };
        self.routes.iter().map(of_route).collect()
    }

    /// Takes the bindings out of the module, for another container.
    pub fn take_bindings(&mut self) -> Box<dyn FnOnce(&mut ContainerBuilder) + Send> {
        let bindings = std::mem::take(&mut self.bindings);
        Box::new(move |container| {
            for bind in bindings {
                (bind.apply)(container);
            }
        })
    }
}
