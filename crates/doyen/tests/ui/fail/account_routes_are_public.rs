use doyen::auth::Auth;
use doyen::prelude::*;

fn accounts(auth: Auth) -> Auth {
    auth.own(anyone)
}

fn main() {}
