//! Presence of live tickets, after a program is killed.

use std::collections::BTreeSet;
use std::time::Duration;

use doyen_test::{NatsServer, Program, RedisServer, scale};
use serde_json::Value;

use crate::live::{log_in, program, start, watching};
use crate::live_client::RawSocket;
use crate::support::{Helpdesk, Join as _};

/// The time after which the users of a killed program are no longer present.
const HEALING_TIME: Duration = Duration::from_secs(30);

/// Waits until the socket gets exactly these users as present.
async fn until_present(socket: &mut RawSocket, users: &[&str]) {
    let users: BTreeSet<&str> = users.iter().copied().collect();
    loop {
        let presence = socket.message_of("presence").await;
        let seen = presence["users"].as_array().unwrap().iter();
        if seen.filter_map(Value::as_str).collect::<BTreeSet<_>>() == users {
            return;
        }
    }
}

/// Kills one of two programs that share a database, while a user of each watches the same ticket.
async fn presence_heals(app: &Helpdesk, settings: impl Fn(Program) -> Program) {
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("it burns").await.text_at("/id");
    // The full form has the interval of the default settings.
    let interval = format!("{}s", scale(1, 5));
    let program = || {
        let program = program(app, ([127, 0, 0, 1], 0).into());
        settings(program.env("APP_LIVE__PRESENCE_INTERVAL", &interval))
    };
    let (mut killed, here) = start(program()).await;
    let (_survivor, there) = start(program()).await;
    let (ada, grace) = (log_in(here, &ada).await, log_in(there, &grace).await);
    let (customer, agent) = (ada.id.clone(), grace.id.clone());
    let mut lost = watching(here, &ada, &ticket).await;
    let mut socket = watching(there, &grace, &ticket).await;
    until_present(&mut socket, &[&customer, &agent]).await;
    until_present(&mut lost, &[&customer, &agent]).await;
    killed.kill();
    let rest = [&*agent];
    let healed = until_present(&mut socket, &rest);
    tokio::time::timeout(HEALING_TIME, healed)
        .await
        .expect("the user of the killed program is gone");
    // Also for a client that comes later.
    let mut late = watching(there, &grace, &ticket).await;
    until_present(&mut late, &rest).await;
}

#[doyen_test::test(postgres)]
async fn presence_heals_after_a_kill_with_postgres_alone(app: Helpdesk) {
    presence_heals(&app, |program| program).await;
}

#[doyen_test::test(postgres)]
async fn presence_heals_after_a_kill_with_redis(app: Helpdesk) {
    let redis = RedisServer::start();
    presence_heals(&app, |program| program.env("REDIS_URL", &redis.url())).await;
}

#[doyen_test::test(postgres)]
async fn presence_heals_after_a_kill_with_nats(app: Helpdesk) {
    let nats = NatsServer::start();
    presence_heals(&app, |program| program.env("APP_NATS__URL", &nats.url())).await;
}
