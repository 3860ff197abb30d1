//! An error enum with one variant for each possible error.

use doyen::prelude::*;

/// Errors when transferring money.
#[derive(Debug, Problem)]
enum MoveMoney {
    /// The account does not exist. Check the account number.
    #[problem(not_found, code = "account_not_found")]
    NoAccount,
    /// The balance is too low. Transfer a smaller amount; `detail` states the shortfall.
    #[problem(conflict, detail = "The balance is {missing} euros short.")]
    NotEnough { missing: u64 },
    /// The receiving bank is unavailable. Try again after the time in `Retry-After`.
    #[problem(unavailable)]
    BankUnavailable {
        #[problem(retry_after)]
        seconds: u32,
    },
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// A transfer to an account.
#[derive(Input)]
struct Transfer {
    to: String,
    #[validate(range(min = 1))]
    euros: u64,
}

/// Transfer money
#[post("/transfers", allow = anyone)]
async fn transfer(Json(wanted): Json<Transfer>) -> Result<NoContent, MoveMoney> {
    let account: u32 = match wanted.to.as_str() {
        "missing" => return Err(MoveMoney::NoAccount),
        "abroad" => return Err(MoveMoney::BankUnavailable { seconds: 60 }),
        // Unexpected: the client sees a request id, the log has the whole chain of causes.
        text => text.parse().map_err(Unexpected::from)?,
    };
    match wanted.euros.checked_sub(u64::from(account)) {
        None | Some(0) => Ok(NoContent),
        Some(missing) => Err(MoveMoney::NotEnough { missing }),
    }
}

/// The module with transfers.
pub fn module() -> Module {
    Module::new("bank").routes(routes![transfer])
}
