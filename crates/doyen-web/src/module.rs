//! Modules: what a domain adds to an application.

use std::any::Any;
use std::sync::Arc;

use doyen_core::Port;
use doyen_core::inject::{ContainerBuilder, Inject};

use crate::route::{Route, Routes};

/// The routes and bindings of one domain.
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
}

/// Adds one binding to a container.
type Bind = Box<dyn FnOnce(&mut ContainerBuilder) + Send>;

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

    /// Binds a port to its adapter.
    #[must_use]
    pub fn bind<P: ?Sized + Port<A>, A: Inject>(mut self) -> Self {
        self.bindings
            .push(Box::new(|container| container.bind::<P, A>()));
        self
    }

    /// Provides a value, which can be injected as `Arc<T>`.
    #[must_use]
    pub fn provide<T: ?Sized + Any + Send + Sync>(mut self, value: Arc<T>) -> Self {
        self.bindings
            .push(Box::new(move |container| container.provide(value)));
        self
    }
}
