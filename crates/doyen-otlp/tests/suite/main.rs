//! Telemetry as a collector receives it, decoded with the published definitions of the protocol, on
//! SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `app` | the application under test |
//! | `receiver` | what a collector received: spans by their trace |
//! | `tree` | one trace over two processes |
//! | `kept` | sampling; errors and slow requests |
//! | `grpc` | traces over gRPC |
//! | `collectors` | a collector that is dead, slow or lying |
//! | `secrets` | what is never exported |
//! | `settings` | mistakes |
//! | `signals` | logs and metrics |

mod app;
mod collectors;
mod grpc;
mod kept;
mod receiver;
mod secrets;
mod settings;
mod signals;
mod tree;
