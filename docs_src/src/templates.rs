//! Pages from templates: minijinja renders any `Output`, and escapes every value.

use std::sync::Arc;

use doyen::prelude::*;
use minijinja::Environment;
use minijinja::value::Serde;

/// The templates, in the binary. A mistake in one ends the start.
pub struct Pages(Environment<'static>);

impl Pages {
    fn load() -> Result<Self, minijinja::Error> {
        let mut pages = Environment::new();
        pages.add_template("layout.html", include_str!("../templates/layout.html"))?;
        pages.add_template("item.html", include_str!("../templates/item.html"))?;
        Ok(Self(pages))
    }

    /// Renders a value. The name ends in `.html`, so that the engine escapes what it writes.
    fn render(&self, name: &str, value: &impl Output) -> Result<Html, Unexpected> {
        let page = self.0.get_template(name)?.render(Serde(value))?;
        Ok(Html(page))
    }
}

/// An item.
#[derive(Output)]
struct Item {
    name: String,
    price: f64,
    #[output(rename = "_links")]
    links: LinkMap,
}

/// An item as a page or as JSON.
#[derive(Responses)]
enum ItemResponse {
    Page(Html),
    Json(Json<Item>),
}

/// Get an item
///
/// Browsers get a page.
#[get("/items/{name}", allow = anyone)]
async fn item(
    pages: Arc<Pages>,
    links: Links,
    name: String,
    #[header] accept: Option<String>,
) -> Result<ItemResponse, Unexpected> {
    let links = links.map().to::<item>("self", &[&name]).done();
    let price = 9.5;
    let item = Item { name, price, links };
    let wants_page = accept.is_some_and(|accept| accept.contains("text/html"));
    if wants_page {
        return Ok(ItemResponse::Page(pages.render("item.html", &item)?));
    }
    Ok(ItemResponse::Json(Json(item)))
}

/// Builds the application.
///
/// # Errors
///
/// Returns an error if a template is malformed.
pub fn app() -> Result<App, minijinja::Error> {
    let pages = Arc::new(Pages::load()?);
    Ok(App::new("shop")
        .provide(pages)
        .module(Module::new("items").routes(routes![item])))
}
