//! Events as an application has them, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `delivery` | commit and rollback, order, slow transactions, several nodes, former rows |
//! | `parked` | retries, parked events, the commands |
//! | `killed` | kill -9 of a relay between the delivery and its mark |
//! | `inbox` | duplicates of one message |
//! | `log` | the event log: positions, readers, retention |
//! | `brokers` | the contract of each broker, with servers that are stopped and started |
//! | `credentials` | NATS with a credentials file |
//! | `tls` | NATS behind TLS |
//! | `bridge` | events through a broker to another application |
//! | `mistakes` | what keeps an application from starting |

mod bridge;
mod brokers;
mod credentials;
mod delivery;
mod inbox;
mod killed;
mod log;
mod mistakes;
mod orders;
mod parked;
mod servers;
mod tls;
