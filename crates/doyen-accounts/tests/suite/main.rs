//! Accounts as clients see them: every test through HTTP, on SQLite and on PostgreSQL.
//!
//! | file | asks |
//! | --- | --- |
//! | `sessions` | logging in and out, one's own sessions, what no longer counts on any node |
//! | `stores` | what every store of sessions promises, Redis too |
//! | `refresh` | refresh tokens: rotation, the lost answer, reuse |
//! | `cookies` | sessions carried by a cookie |
//! | `clients` | machine clients: id and secret for a token, and what it is worth |
//! | `emails` | the links in mails, and what nobody learns from the answers |
//! | `throttle` | who fails to log in too often waits |
//! | `factor` | the second factor |
//! | `keys` | API keys: what they look like, what they may do, when they stop |
//! | `mount` | what an application gives twice |
//! | `openid` | logging in by an outside provider, and what an attacker tries there |

mod clients;
mod cookies;
mod emails;
mod factor;
mod house;
mod keys;
mod mount;
mod openid;
mod porch;
mod provider;
mod refresh;
mod sessions;
mod stores;
mod throttle;
