//! Jobs through an application, on SQLite and PostgreSQL.

mod cancelled;
mod commands;
mod cron;
mod dispatch;
mod drained;
mod enqueued;
mod killed;
mod kit;
mod limits;
mod retried;
