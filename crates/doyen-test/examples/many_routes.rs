//! An application with as many trivial routes as the variable `ROUTES` says, each with a handler of
//! its own. The test of the memory of routes starts it as a process.

use doyen::prelude::*;
use doyen::web::{Route, Routes};

fn main() -> std::process::ExitCode {
    let wanted = std::env::var("ROUTES").ok();
    let wanted = wanted.and_then(|text| text.parse().ok()).unwrap_or(0);
    let routes = Routes::new(all().into_iter().take(wanted).collect());
    doyen::run(
        App::new("many")
            .module(Module::new("many").routes(routes))
            .module(Module::new("memory").routes(routes![memory])),
    )
}

/// Resident memory of this process, as the kernel reports it
#[get("/memory", allow = anyone)]
async fn memory() -> Text {
    Text(std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

/// A number.
#[derive(Output)]
struct Number {
    /// The number of the route.
    number: u32,
}

async fn number<const N: u32>() -> Json<Number> {
    Json(Number { number: N })
}

fn route<const N: u32>() -> Route {
    Route::get(&format!("/numbers/{N}"))
        .name(&format!("number_{N}"))
        .allow(anyone)
        .handler(number::<N>)
        .summary("Get a number")
}

/// Two hundred routes.
fn all() -> Vec<Route> {
    let mut all = Vec::new();
    macro_rules! ten {
        ($($tens:literal)*) => {
            $(all.extend([
                route::<{ $tens * 10 }>(),
                route::<{ $tens * 10 + 1 }>(),
                route::<{ $tens * 10 + 2 }>(),
                route::<{ $tens * 10 + 3 }>(),
                route::<{ $tens * 10 + 4 }>(),
                route::<{ $tens * 10 + 5 }>(),
                route::<{ $tens * 10 + 6 }>(),
                route::<{ $tens * 10 + 7 }>(),
                route::<{ $tens * 10 + 8 }>(),
                route::<{ $tens * 10 + 9 }>(),
            ]);)*
        };
    }
    ten!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    all
}
