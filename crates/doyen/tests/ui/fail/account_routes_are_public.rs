use doyen::auth::Accounts;
use doyen::prelude::*;

fn accounts(auth: Accounts) -> Accounts {
    auth.own(anyone)
}

fn main() {}
