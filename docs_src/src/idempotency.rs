//! Idempotent requests: a key for each request, and one effect for all requests with that key.

use doyen::data::{Migration, Migrations};
use doyen::prelude::*;

/// Payment to make.
#[derive(Input)]
struct NewPayment {
    /// Amount in cents.
    #[validate(range(min = 1, max = 1_000_000))]
    amount: u32,
}

/// A payment.
#[derive(Output)]
struct PaymentView {
    /// Number of the payment.
    number: i64,
    /// Amount in cents.
    amount: u32,
}

#[derive(doyen::data::Row)]
struct Inserted {
    number: i64,
}

/// Make a payment
///
/// Sending the same `Idempotency-Key` twice makes one payment.
#[post("/payments", allow = anyone, idempotent)]
async fn pay(
    session: Session,
    Json(new): Json<NewPayment>,
) -> Result<Created<PaymentView>, Unexpected> {
    let sql = "INSERT INTO payments (amount) VALUES ($1) RETURNING number";
    let inserted: Option<Inserted> = session
        .query_one_as(sql, [i64::from(new.amount).into()])
        .await?;
    let inserted = inserted.ok_or_else(|| Unexpected::new("RETURNING returns a row"))?;
    Ok(Created(PaymentView {
        number: inserted.number,
        amount: new.amount,
    }))
}

/// Pay all salaries
///
/// A request without a key is refused.
#[post("/payroll", allow = anyone, idempotent(required))]
async fn pay_all() -> NoContent {
    NoContent
}

const TABLE: &str =
    "CREATE TABLE payments (number integer PRIMARY KEY NOT NULL, amount integer NOT NULL);";

const MIGRATIONS: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "payments",
        up: TABLE,
        down: "DROP TABLE payments;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "payments",
        up: "CREATE TABLE payments (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
             amount bigint NOT NULL);",
        down: "DROP TABLE payments;",
    }],
};

/// Builds the application.
pub fn app() -> App {
    App::new("bank")
        .migrations(MIGRATIONS)
        .module(Module::new("payments").routes(routes![pay, pay_all]))
}
