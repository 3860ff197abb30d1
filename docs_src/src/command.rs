//! A custom command uses the same services as a request and runs in its own unit of work.

use doyen::Command;
use doyen::prelude::*;

use crate::shop;

/// The shop with the command `shop stock add TE-100 50`.
pub fn app() -> App {
    let add = Command::new(
        "stock add",
        "Adds pieces of a new article to the stock",
        &["article", "pieces"],
        |session: Session, arguments: Vec<String>| async move {
            let [article, pieces] = arguments.as_slice() else {
                return Err(Unexpected::new("expected an article and a number"));
            };
            let pieces: i64 = pieces.parse()?;
            let sql = "INSERT INTO stock (article, pieces) VALUES ($1, $2)";
            let parameters = [article.as_str().into(), pieces.into()];
            session.execute_sql(sql, parameters).await?;
            Ok(format!("added {pieces} pieces of {article}"))
        },
    );
    shop::app().command(add)
}
