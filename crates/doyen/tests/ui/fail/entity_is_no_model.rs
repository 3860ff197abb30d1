use doyen::data::Entity;

#[derive(Entity)]
struct Order {
    id: i64,
}

fn main() {}
