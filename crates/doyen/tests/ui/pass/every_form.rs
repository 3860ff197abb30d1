//! Every form a handler may have, in one module: what compiles, what is called, and what the
//! document says of it.

use std::sync::Arc;

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::Body;

/// A thing that is read.
#[derive(Input)]
pub(crate) struct NewThing {
    #[validate(length(min = 1, max = 20))]
    name: String,
    #[validate(range(min = 1, max = 9))]
    size: u32,
}

/// A thing that is written.
#[derive(Output)]
#[output(etag = size, location = place)]
pub(crate) struct Thing {
    name: String,
    size: u32,
}

impl Thing {
    fn place(&self) -> String {
        format!("/things/{}", self.name)
    }
}

impl From<NewThing> for Thing {
    fn from(new: NewThing) -> Self {
        Self {
            name: new.name,
            size: new.size,
        }
    }
}

#[derive(Input)]
pub(crate) struct Where {
    shelf: String,
    slot: u8,
}

#[derive(Input)]
pub(crate) struct Wanted {
    #[validate(range(min = 2, max = 5))]
    size: u32,
    word: Option<String>,
}

#[derive(Input)]
pub(crate) struct Asked {
    x_name: String,
}

#[derive(Input)]
pub(crate) struct TrackingCookie {
    theme: String,
}

#[derive(Input)]
pub(crate) struct Change {
    name: Patch<String>,
}

/// Why it did not work.
#[derive(Debug, Problem)]
pub(crate) enum Failed {
    /// There is no such thing.
    #[problem(not_found, code = "thing_not_found")]
    Missing,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// What is known of things.
#[port]
pub(crate) trait Shelf {
    async fn find(&self, name: &str) -> Option<Thing>;
}

#[derive(Clone, Inject)]
pub(crate) struct Full;

#[port]
impl Shelf for Full {
    async fn find(&self, name: &str) -> Option<Thing> {
        Some(Thing {
            name: name.to_owned(),
            size: 1,
        })
    }
}

#[derive(Clone, Inject)]
pub(crate) struct Things {
    shelf: Arc<dyn Shelf>,
}

#[derive(Clone)]
pub(crate) struct Now(u32);

#[provider(call)]
async fn now() -> Result<Now, Failed> {
    Ok(Now(1))
}

/// Nothing in, nothing out.
#[get("/nothing", allow = anyone)]
async fn nothing() -> NoContent {
    NoContent
}

/// A name from the path, an injected type, an error.
#[get("/things/{name}", allow = anyone, sparse, timeout = secs(5))]
async fn show(things: Things, name: String) -> Result<Json<Thing>, Failed> {
    things
        .shelf
        .find(&name)
        .await
        .map(Json)
        .ok_or(Failed::Missing)
}

/// A pattern in the signature, and a body.
#[post("/things", allow = anyone, body_limit = 1 << 10)]
async fn make(Json(new): Json<NewThing>) -> Result<Created<Thing>, Failed> {
    Ok(Created(new.into()))
}

/// A list.
#[get("/things", allow = anyone)]
async fn list(wanted: Query<Wanted>, paging: Paging) -> Result<Page<Thing>, Unexpected> {
    let wanted = wanted.into_inner();
    let _ = (wanted.size, wanted.word);
    Ok(Page {
        items: Vec::new(),
        limit: paging.limit,
        next: None,
        prev: None,
        total: None,
    })
}

/// A change with a version.
#[patch("/things/{name}", allow = anyone)]
async fn change(
    name: String,
    version: IfMatch,
    MergePatch(change): MergePatch<Change>,
) -> Json<Thing> {
    let _ = version.version();
    let name = match change.name {
        Patch::Set(name) => name,
        Patch::Absent => name,
    };
    Json(Thing { name, size: 1 })
}

/// A name that is not needed.
#[delete("/things/{name}", allow = anyone, id = "scrap")]
async fn remove(_name: String) -> NoContent {
    NoContent
}

/// All path parameters as one.
#[get("/shelves/{shelf}/{slot}", allow = anyone, tag = "places")]
async fn place(Path(place): Path<Where>) -> Text {
    Text(format!("{} {}", place.shelf, place.slot))
}

/// The rest of the path.
#[get("/files/{*path}", allow = anyone)]
async fn file(path: String) -> Text {
    Text(path)
}

/// Header fields and cookies.
#[get("/asked", allow = anyone)]
async fn asked(asked: Header<Asked>, tracking_cookie: Cookie<TrackingCookie>) -> Html {
    Html(format!("{} {}", asked.0.x_name, tracking_cookie.0.theme))
}

/// A form.
#[put("/form", allow = anyone)]
async fn form(Form(new): Form<NewThing>) -> Accepted<Thing> {
    Accepted(new.into())
}

/// Raw bytes.
#[post("/bytes", allow = anyone)]
async fn raw(body: Bytes) -> NoStore<Thing> {
    NoStore(Thing {
        name: "bytes".into(),
        size: u32::try_from(body.len()).unwrap_or(u32::MAX),
    })
}

/// The whole request.
#[post("/whole", allow = anyone, deprecated)]
async fn whole(request: http::Request<Body>) -> Redirect {
    let _ = request.uri();
    Redirect::see_other("/things")
}

/// Bytes as they come.
#[get("/stream", allow = anyone)]
async fn stream() -> Stream {
    let chunks = [Ok::<_, std::io::Error>(Bytes::from("one"))];
    Stream::new(futures_util::stream::iter(chunks))
}

/// Twelve parameters, the most there may be.
#[get("/many/{a}/{b}/{c}/{d}", allow = anyone)]
#[allow(clippy::too_many_arguments, reason = "the most a handler may have")]
async fn many(
    a: u8,
    mut b: u16,
    c: u32,
    d: u64,
    me: Option<Caller>,
    links: Links,
    id: doyen::domain::RequestId,
    access: doyen::domain::Access,
    now: Now,
    clock: Arc<dyn Shelf>,
    things: Things,
    paging: Paging,
) -> Text {
    b += 1;
    let _ = (me, links, id, access, clock, things, paging, now.0);
    Text(format!("{a} {b} {c} {d}"))
}

/// Left out of the document.
#[get("/hidden", allow = anyone, hidden)]
async fn hidden() -> NoContent {
    NoContent
}

/// A module of all of them; one is built by hand.
pub(crate) fn module() -> Module {
    let by_hand = Route::get("/by-hand")
        .name("by_hand")
        .allow(anyone)
        .summary("Built by hand.")
        .handler(async || Text("by hand".into()));
    Module::new("forms")
        .describe("Every form.")
        .routes(routes![
            nothing, show, make, list, change, remove, place, file, asked
        ])
        .routes(routes![form, raw, whole, stream, many, hidden])
        .routes(Routes::new(vec![by_hand]))
        .bind::<dyn Shelf, Full>()
}
