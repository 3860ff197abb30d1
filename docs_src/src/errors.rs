//! An error enum: one variant for each thing that can go wrong.

use doyen::prelude::*;

/// Why money was not moved.
#[derive(Debug, Problem)]
enum MoveMoney {
    /// There is no such account. Check the number.
    #[problem(not_found, code = "account_not_found")]
    NoAccount,
    /// The account does not hold that much. `detail` says how much is missing.
    #[problem(conflict, detail = "{missing} euros are missing.")]
    NotEnough { missing: u64 },
    /// The other bank does not answer. Try again after `Retry-After`.
    #[problem(unavailable)]
    BankAway {
        #[problem(retry_after)]
        seconds: u32,
    },
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// How much goes where.
#[derive(Input)]
struct Transfer {
    to: String,
    #[validate(range(min = 1))]
    euros: u64,
}

/// Move money.
#[post("/transfers", allow = anyone)]
async fn transfer(Json(wanted): Json<Transfer>) -> Result<NoContent, MoveMoney> {
    let account: u32 = match wanted.to.as_str() {
        "nobody" => return Err(MoveMoney::NoAccount),
        "abroad" => return Err(MoveMoney::BankAway { seconds: 60 }),
        // What nobody planned for: the client sees an id, the log the whole chain.
        text => text.parse().map_err(Unexpected::from)?,
    };
    match wanted.euros.checked_sub(u64::from(account)) {
        None | Some(0) => Ok(NoContent),
        Some(missing) => Err(MoveMoney::NotEnough { missing }),
    }
}

/// The bank.
pub fn module() -> Module {
    Module::new("bank").routes(routes![transfer])
}
