//! The linter through the command `migrate` of a program, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `rules` | each rule with a bad and a good example for each database |
//! | `command` | what `migrate lint` prints, and comments that allow findings |
//! | `prod` | `migrate up` and the start in `prod` |
//! | `blocked` | migrations that wait for a lock of another session |

mod blocked;
mod command;
mod kit;
mod prod;
mod rules;
