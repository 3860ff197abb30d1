use doyen::prelude::*;

fn app() -> App {
    App::new("shop").migrations(doyen::migrations!("migratons"))
}

fn main() {}
