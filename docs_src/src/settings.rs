//! Typed and documented settings of the application, in addition to those of the framework.

use std::sync::Arc;
use std::time::Duration;

use doyen::prelude::*;

/// Settings of the shop.
#[derive(Debug, Clone, Settings)]
pub struct ShopSettings {
    /// True if the shop is open.
    #[setting(default = true)]
    pub open: bool,
    /// Cart settings.
    #[setting(section)]
    pub cart: CartSettings,
}

/// Cart settings.
#[derive(Debug, Clone, Settings)]
pub struct CartSettings {
    /// Lifetime of a cart.
    #[setting(default = "30d", min = "1h")]
    pub lifetime: Duration,
    /// Key that signs carts.
    pub key: Option<Secret<String>>,
}

/// The status of the shop.
#[derive(Output)]
struct Status {
    open: bool,
    cart_seconds: u64,
}

/// Get the status of the shop
#[get("/status", allow = anyone)]
async fn status(settings: Arc<ShopSettings>) -> Json<Status> {
    Json(Status {
        open: settings.open,
        cart_seconds: settings.cart.lifetime.as_secs(),
    })
}

/// The module with the status of the shop.
pub fn module() -> Module {
    Module::new("status").routes(routes![status])
}

/// Builds the application.
pub fn app() -> App {
    App::new("shop").settings::<ShopSettings>().module(module())
}
