//! An application whose clients expect camel case. `Cargo.toml` sets it for all types.

use doyen::prelude::*;

/// A way to send an order.
#[derive(Input, Output)]
#[input(tag = "kind")]
#[output(tag = "kind")]
enum Shipping {
    ByMail { postal_code: String },
    PickUp { shop_id: u32 },
}

/// An order.
#[derive(Input, Output)]
struct Order {
    article_number: u32,
    shipping: Shipping,
    /// A name of its own stays as it is.
    #[input(rename = "gift_note")]
    #[output(rename = "gift_note")]
    gift_note: Option<String>,
}

/// A customer, whose type has another case.
#[derive(Output)]
#[output(rename_all = "PascalCase")]
struct Customer {
    full_name: String,
}

/// Place an order
#[post("/customers/{customer_id}/orders", allow = anyone)]
async fn place(
    /// The number of the customer.
    #[path]
    customer_id: u32,
    #[query(default)] dry_run: bool,
    #[header] x_client_name: Option<String>,
    Json(order): Json<Order>,
) -> Json<Order> {
    let _ = (customer_id, dry_run, x_client_name);
    Json(order)
}

/// Get a customer
#[get("/customers/{customer_id}", allow = anyone)]
async fn customer(customer_id: u32) -> Json<Customer> {
    Json(Customer {
        full_name: format!("Customer {customer_id}"),
    })
}

/// Builds the application.
pub fn app() -> App {
    App::new("names").module(Module::new("orders").routes(routes![place, customer]))
}
