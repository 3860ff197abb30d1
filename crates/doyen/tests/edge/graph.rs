//! Mistakes in the injection graph are reported before the first request: all of them, each with
//! its chain and a remedy.

use std::sync::Arc;

use doyen::domain::{Inject, Lifetime};
use doyen::prelude::*;
use doyen::schema::Output;
use doyen::web::{Builder, Service};

/// The messages of an application that does not start, in order.
fn mistakes(builder: Builder) -> Vec<String> {
    let errors = builder.build().expect_err("it must not start");
    errors.iter().map(ToString::to_string).collect()
}

fn with(routes: Routes) -> Builder {
    Service::builder().module(Module::new("t").routes(routes))
}

/// Where mail goes.
#[port]
trait Mailer {}

/// What time it is.
#[port]
trait Bell {}

#[derive(Clone, Inject)]
struct Smtp {
    _bell: Arc<dyn Bell>,
}

#[port]
impl Mailer for Smtp {}

#[derive(Clone, Inject)]
struct Tower {
    _mailer: Arc<dyn Mailer>,
}

#[port]
impl Bell for Tower {}

#[derive(Clone, Inject)]
struct Letters {
    _mailer: Arc<dyn Mailer>,
}

/// Write a letter.
#[post("/letters", allow = anyone)]
async fn write(_letters: Letters) -> NoContent {
    NoContent
}

/// Write another letter.
#[post("/letters/more", allow = anyone)]
async fn more(_letters: Letters) -> NoContent {
    NoContent
}

#[test]
fn a_missing_provider_is_named_with_its_chain() {
    assert_eq!(
        mistakes(with(routes![write])),
        [
            "nothing supplies `dyn Mailer`: POST /letters -> Letters -> dyn Mailer. Bind it in a module (`.bind::<dyn Port, Adapter>()`) or give a value (`.provide(value)`)"
        ]
    );
    // A dependency of an adapter counts as well, and each route that cannot be served is named.
    let module = Module::new("t")
        .routes(routes![write, more])
        .bind::<dyn Mailer, Smtp>();
    assert_eq!(
        mistakes(Service::builder().module(module)),
        [
            "nothing supplies `dyn Bell`: POST /letters -> Letters -> Smtp -> dyn Bell. Bind it in a module (`.bind::<dyn Port, Adapter>()`) or give a value (`.provide(value)`)",
            "nothing supplies `dyn Bell`: POST /letters/more -> Letters -> Smtp -> dyn Bell. Bind it in a module (`.bind::<dyn Port, Adapter>()`) or give a value (`.provide(value)`)"
        ]
    );
}

#[test]
fn a_circle_is_named_once_around() {
    let module = Module::new("t")
        .routes(routes![write, more])
        .bind::<dyn Mailer, Smtp>()
        .bind::<dyn Bell, Tower>();
    assert_eq!(
        mistakes(Service::builder().module(module)),
        ["a dependency cycle: Smtp -> Tower -> Smtp. Break it with an event or a third type"]
    );
}

#[derive(Clone, Inject)]
struct Basket;

#[derive(Clone, Inject)]
#[inject(call)]
struct Scale {
    _basket: Basket,
}

#[derive(Clone, Inject)]
#[inject(application)]
struct Market {
    _scale: Scale,
}

/// Show the market.
#[get("/market", allow = anyone)]
async fn market(_market: Market) -> NoContent {
    NoContent
}

#[test]
fn a_long_lived_thing_may_not_hold_a_short_lived_one() {
    assert_eq!(Market::LIFETIME, Lifetime::Application);
    assert_eq!(
        mistakes(with(routes![market])),
        [
            "a value with the lifetime Application would hold one with the lifetime Request: Market -> Scale -> Basket. Give the holder the shorter lifetime"
        ]
    );
}

#[test]
fn a_port_is_bound_once() {
    let one = Module::new("one").bind::<dyn Mailer, Smtp>();
    let two = Module::new("two").bind::<dyn Mailer, Smtp>();
    assert_eq!(
        mistakes(Service::builder().module(one).module(two)),
        ["`dyn Mailer` is bound twice. Keep one binding"]
    );
}

struct Silent;

#[port]
impl Bell for Silent {}

#[test]
fn an_unused_override_is_a_mistake() {
    let mut builder = with(routes![market]);
    builder.container().override_with(Basket);
    builder.container().replace::<dyn Bell>(Arc::new(Silent));
    assert_eq!(
        mistakes(builder),
        ["`dyn Bell` is replaced, but nothing injects it. Remove the override or correct its type"]
    );
}

#[test]
fn a_replaced_provider_is_not_called() {
    // `Letters` would need a mailer, which nothing supplies.
    let mut builder = with(routes![write]);
    let letters = Letters {
        _mailer: Arc::new(Smtp {
            _bell: Arc::new(Silent),
        }),
    };
    builder.container().override_with(letters);
    assert!(builder.build().is_ok());
}

/// A thing.
#[derive(Output)]
#[output(name = "Thing")]
struct One {
    a: u8,
}

/// Another thing.
#[derive(Output)]
#[output(name = "Thing")]
struct Two {
    b: u8,
}

async fn one() -> Json<One> {
    Json(One { a: 1 })
}

async fn two() -> Json<Two> {
    Json(Two { b: 1 })
}

async fn plain() -> NoContent {
    NoContent
}

#[test]
fn every_mistake_of_every_route_is_reported_at_once() {
    let routes = vec![
        Route::get("/a").name("a").handler(plain),
        Route::get("/b").name("b").allow(anyone),
        Route::get("c").name("c").allow(anyone).handler(plain),
        Route::get("/d").name("d").allow(anyone).handler(plain),
        Route::get("/d").name("d2").allow(anyone).handler(plain),
        Route::get("/e").name("d").allow(anyone).handler(plain),
        Route::get("/f/{id}").name("f").allow(anyone).handler(plain),
    ];
    assert_eq!(
        mistakes(with(Routes::new(routes))),
        [
            "GET /a: it has no access policy. Add `.allow(anyone)`, `.allow(signed_in)` or a scope",
            "GET /b: it has no handler. Add `.handler(function)`",
            "GET c: a path must start with `/`",
            "GET /f/{id}: no parameter reads `{id}`. Name a parameter of the handler `id`, or use `Path<..>`",
            "GET /d: it is mounted twice. Remove one, or mount it under another path with `.at(..)`",
            "GET /d and GET /e have the same operation id `t_d`. Rename a handler, or set an id with `id = \"..\"`",
        ]
    );
}

#[test]
fn ambiguous_paths_are_refused() {
    let routes = vec![
        Route::get("/a/{id}")
            .name("a")
            .allow(anyone)
            .hidden()
            .handler(plain),
        Route::post("/a/{name}")
            .name("b")
            .allow(anyone)
            .hidden()
            .handler(plain),
    ];
    let all = mistakes(with(Routes::new(routes)));
    assert_eq!(
        all,
        [
            "/a/{name}: it is ambiguous with `/a/{id}`. Use the same parameter name in both paths, or change one of them"
        ]
    );
}

#[test]
fn two_types_of_one_name_are_refused() {
    let routes = vec![
        Route::get("/one").name("one").allow(anyone).handler(one),
        Route::get("/two").name("two").allow(anyone).handler(two),
    ];
    let all = mistakes(with(Routes::new(routes)));
    assert_eq!(
        all,
        [
            "`Thing` is the name of two different types in the document: `edge::graph::One` and `edge::graph::Two`. Rename one with `#[output(name = \"..\")]` or `#[input(name = \"..\")]`"
        ]
    );
}
