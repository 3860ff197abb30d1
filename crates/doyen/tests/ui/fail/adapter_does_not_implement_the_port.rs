use doyen::prelude::*;

/// Sends mail.
#[port]
trait Mailer {
    async fn send(&self, to: &str);
}

#[derive(Clone, Inject)]
struct Smtp;

fn module() -> Module {
    Module::new("mail").bind::<dyn Mailer, Smtp>()
}

fn main() {}
