//! Accounts as clients see them: every test through HTTP, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `sessions` | login, logout, the sessions of the caller, revocation on every node |
//! | `stores` | every session store, including Redis |
//! | `refresh` | refresh tokens: rotation, the lost response, reuse |
//! | `cookies` | cookie sessions |
//! | `clients` | machine clients: id and secret for a token, and its rights |
//! | `emails` | the links in mails, and what responses do not reveal |
//! | `throttle` | the throttle for failed logins |
//! | `factor` | the second factor |
//! | `keys` | API keys: format, scopes, end |
//! | `mount` | options that are given twice |
//! | `own_routes` | routes and bodies of an application on the engines, and relaxed rules |
//! | `openid` | login with an OpenID provider, and attacks on it |

mod accounts_app;
mod api_keys_app;
mod clients;
mod cookies;
mod emails;
mod factor;
mod keys;
mod mount;
mod openid;
mod own_routes;
mod provider;
mod refresh;
mod sessions;
mod stores;
mod throttle;
