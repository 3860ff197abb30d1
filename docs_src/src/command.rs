//! A command of your own runs on the same parts as a request, in a unit of work of its own.

use doyen::Command;
use doyen::prelude::*;

use crate::shop;

/// `shop stock add TE-100 50`
pub fn app() -> App {
    let add = Command::new(
        "stock add",
        "Puts pieces of an article into stock",
        &["article", "pieces"],
        |session: Session, arguments: Vec<String>| async move {
            let [article, pieces] = arguments.as_slice() else {
                return Err(Unexpected::new("an article and a number are needed"));
            };
            let pieces: i64 = pieces.parse()?;
            let sql = "INSERT INTO stock (article, pieces) VALUES ($1, $2)";
            let parameters = [article.as_str().into(), pieces.into()];
            session.execute_sql(sql, parameters).await?;
            Ok(format!("{pieces} pieces of {article} are there"))
        },
    );
    shop::app().command(add)
}
