//! The helpdesk as its clients see it: every test uses HTTP, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `access` | every route, called anonymously, by another customer and with the wrong scope |
//! | `openapi` | the committed document is the generated one; migrations go up, down and up |
//! | `accounts`, `tickets`, `edits`, `states`, `lists`, `comments`, `stats` | the resources |
//! | `attachments` | files of tickets: upload, download, limits, scans |
//! | `paging` | a list is complete and without duplicates during concurrent writes |
//! | `events` | the security log, and the reasons for refusals in it |
//! | `emails` | registration with verified addresses |
//! | `explain` | plans of statements, and indexes that are missing |
//! | `plans` | the plans of the lists, compared with files |
//! | `migration_lint` | the migrations of the helpdesk and of all plugins are safe, or carry reasons |
//! | `errors` | errors follow the contract |
//! | `work` | a request is one unit of work, however it ends |
//! | `server` | the real program: start, stop, kill, settings |
//! | `service_manager` | readiness and watchdog of systemd |
//! | `sessions` | two programs on one database: refresh, reuse, logout |
//! | `api_keys` | API keys of users, and machine clients |
//! | `keys` | signing keys, changed from the command line; no token in the output |
//! | `naughty` | text and JSON that commonly break programs |
//! | `attack` | the attack list of `cargo xtask attack` against the program |
//! | `limits` | rate limits: every route, two programs with one Redis, quotas |
//! | `redis_tls`, `redis_failover` | the program with Redis behind TLS, and with Sentinels |
//! | `unix_sockets` | the program on a Unix socket, alone, handed over by systemd, and behind nginx |
//! | `tls` | the program with a certificate, and its exchange |
//! | `live` | live tickets: streams, sockets, logout, kills of the program |
//! | `live_memory` | memory of idle sockets and streams |
//! | `live_presence` | presence after a kill of one of two programs |
//! | `edge` | the program: hosts, proxies, and contradictory settings |
//! | `dashboards` | the generated dashboard, rules and alerts, with a real Prometheus |
//! | `traces` | spans, lines and metrics of the program over OTLP |
//! | `load_command` | the load tests that the program writes |
//! | `memory` | the memory and the log output that clients can cause |
//! | `size` | lists and searches of many tickets, alone and next to forty searches |
//! | `slow` | the program during an attack by hundreds of slow clients |
//! | `stops` | the real program, stopped under load |
//! | `rolls`, `in_flight` | rolling restarts behind proxies, with sockets, streams, jobs and uploads in flight |

mod access;
mod accounts;
mod api_keys;
mod attachments;
mod attack;
mod backup;
mod comments;
mod dashboards;
mod edge;
mod edits;
mod emails;
mod errors;
mod events;
#[path = "../../../../crates/doyen/tests/edge/exchange.rs"]
mod exchange;
mod explain;
#[path = "../../../../crates/doyen/tests/edge/http2.rs"]
mod http2;
mod in_flight;
mod keys;
mod limits;
mod lists;
mod live;
#[path = "../../../../crates/doyen-live/tests/suite/client.rs"]
mod live_client;
mod live_memory;
mod live_presence;
#[path = "../../../../crates/doyen/tests/edge/load.rs"]
mod load;
mod load_command;
mod logins;
mod memory;
mod migration_lint;
mod naughty;
mod openapi;
mod operator;
mod paging;
mod plans;
mod private_cache;
mod redis_failover;
mod redis_tls;
mod rolls;
mod schema;
mod server;
mod service_manager;
mod sessions;
mod size;
mod slow;
mod states;
mod stats;
mod stops;
mod support;
mod tickets;
mod tls;
mod traces;
mod unix_sockets;
mod webhooks;
mod work;
