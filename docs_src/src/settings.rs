//! Settings of your own, typed and documented, beside those of the framework.

use std::sync::Arc;
use std::time::Duration;

use doyen::prelude::*;

/// Settings of the shop.
#[derive(Debug, Clone, Settings)]
pub struct ShopSettings {
    /// Whether the shop is open.
    #[setting(default = true)]
    pub open: bool,
    /// Carts.
    #[setting(section)]
    pub cart: CartSettings,
}

/// Carts.
#[derive(Debug, Clone, Settings)]
pub struct CartSettings {
    /// How long a cart is kept.
    #[setting(default = "30d", min = "1h")]
    pub lifetime: Duration,
    /// The key that carts are signed with.
    pub key: Option<Secret<String>>,
}

/// How the shop is set.
#[derive(Output)]
struct Status {
    open: bool,
    cart_seconds: u64,
}

/// Show how the shop is set.
#[get("/status", allow = anyone)]
async fn status(settings: Arc<ShopSettings>) -> Json<Status> {
    Json(Status {
        open: settings.open,
        cart_seconds: settings.cart.lifetime.as_secs(),
    })
}

/// The shop's status.
pub fn module() -> Module {
    Module::new("status").routes(routes![status])
}

/// The application.
pub fn app() -> App {
    App::new("shop").settings::<ShopSettings>().module(module())
}
