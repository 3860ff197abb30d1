use doyen::domain::Event;

#[derive(Event)]
struct Delivered {
    pieces: u32,
}

#[derive(Event)]
enum OrderEvent {
    Placed { order: u64 },
}

fn main() {}
