//! Notes of several teams on PostgreSQL: a team sees its own notes and no others.
//!
//! | module | contents |
//! | --- | --- |
//! | [`teams`] | teams, their keys, and the team of a request |
//! | [`notes`] | notes, and their routes |

pub mod notes;
pub mod teams;

use doyen::App;

/// Builds the application.
pub fn app() -> App {
    App::new("notes")
        .title("Notes")
        .migrations(doyen::migrations!("migrations"))
        .identify(teams::by_key)
        .command(teams::add())
        .module(notes::module())
}
