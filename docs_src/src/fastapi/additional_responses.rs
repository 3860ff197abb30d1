//! Additional responses: a status with another body, and another media type of the same status.

use doyen::prelude::*;
use doyen::web::response::MediaType;
use futures_util::stream;

/// An item.
#[derive(Output)]
struct Item {
    id: String,
    value: String,
}

/// A message.
#[derive(Output)]
struct Message {
    message: String,
}

/// A PNG image.
struct Png;

impl MediaType for Png {
    const NAME: &'static str = "image/png";
}

/// An item as JSON or as an image, or the message that there is none.
#[derive(Responses)]
enum ItemResponse {
    Item(Json<Item>),
    Image(Stream<Png>),
    Missing(Status<404, Json<Message>>),
}

/// Get an item
#[get("/items/{item_id}", allow = anyone)]
async fn item(item_id: String, #[query(default)] img: bool) -> ItemResponse {
    if item_id != "foo" {
        return ItemResponse::Missing(Status(Json(Message {
            message: "Item not found".to_owned(),
        })));
    }
    if img {
        let image = [Ok::<_, std::io::Error>("\u{89}PNG".into())];
        return ItemResponse::Image(Stream::new(stream::iter(image)));
    }
    ItemResponse::Item(Json(Item {
        id: item_id,
        value: "there goes my hero".to_owned(),
    }))
}

/// The module with items.
pub fn module() -> Module {
    Module::new("items").routes(routes![item])
}
