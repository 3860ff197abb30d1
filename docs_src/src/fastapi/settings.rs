//! Settings: from a file and from environment variables, with types and defaults.

use std::sync::Arc;

use doyen::prelude::*;

/// The settings of the application.
#[derive(Clone, Debug, Output, Settings)]
pub struct AppSettings {
    /// Name of the application.
    #[setting(default = "Awesome API")]
    pub app_name: String,
    /// Address of the administrator.
    pub admin_email: String,
    /// Items that a user may have.
    #[setting(default = 50)]
    pub items_per_user: u32,
}

/// Get the settings
#[get("/info", allow = anyone)]
async fn info(settings: Arc<AppSettings>) -> Json<AppSettings> {
    Json(AppSettings::clone(&settings))
}

pub fn app() -> App {
    App::new("info")
        .settings::<AppSettings>()
        .module(Module::new("info").routes(routes![info]))
}
