use doyen::prelude::*;

#[derive(Clone, Copy, doyen::domain::Role)]
enum Role {
    Admin,
}

/// Delete all orders.
#[delete("/orders", allow = anyone.role(Role::Admin))]
async fn delete_all() -> NoContent {
    NoContent
}

fn main() {}
