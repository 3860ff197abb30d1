//! The helpdesk as its clients see it: every test through HTTP, on SQLite and on PostgreSQL.
//!
//! | file | asks |
//! | --- | --- |
//! | `access` | who may call which route: all of them, by nobody, a stranger and a caller with the wrong scope |
//! | `openapi` | is the committed document the one the code makes; do the migrations go there and back |
//! | `accounts`, `tickets`, `edits`, `states`, `lists`, `comments`, `stats` | what each resource promises |
//! | `paging` | is a list complete and without repetition while others write |
//! | `events` | what the security log keeps, and why somebody was refused |
//! | `emails` | registering where an address must be shown to be one's own |
//! | `errors` | is whatever goes wrong told as the contract says |
//! | `work` | is a request one unit of work, however it ends |
//! | `server` | the real program: start, stop, kill, settings |
//! | `sessions` | two programs on one database: refresh, reuse, logout |
//! | `api_keys` | keys that users make for programs, and machine clients |
//! | `keys` | its signing keys, changed from the command line; that it writes no token anywhere |
//! | `naughty` | text and JSON that programs have stumbled over |
//! | `attack` | the real program under the attack list of `cargo xtask attack` |
//! | `limits` | how often: every route, two programs with one Redis, quotas |
//! | `edge` | the real program: hosts, proxies, and settings that would lie |
//! | `memory` | what strangers can make the real program hold in memory and write to its log |
//! | `slow` | the real program while hundreds of slow clients hold it up |
//! | `stops` | the real program, stopped under load, alone and behind proxies |

mod access;
mod accounts;
mod api_keys;
mod attack;
mod comments;
mod edge;
mod edits;
mod emails;
mod errors;
mod events;
#[path = "../../../../crates/doyen/tests/edge/http2.rs"]
mod http2;
mod keys;
mod limits;
mod lists;
#[path = "../../../../crates/doyen/tests/edge/load.rs"]
mod load;
mod logins;
mod memory;
mod naughty;
mod openapi;
mod paging;
mod private_cache;
mod server;
mod sessions;
mod slow;
mod states;
mod stats;
mod stops;
mod support;
mod tickets;
mod work;
