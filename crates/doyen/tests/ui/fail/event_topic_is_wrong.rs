use doyen::domain::Event;

#[derive(Event)]
#[event(topic = "Orders Placed")]
struct Placed {
    order: u64,
}

#[derive(Event)]
#[event(topik = "orders.paid")]
struct Paid {
    order: u64,
}

fn main() {}
