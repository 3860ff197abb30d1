//! HTTP route for nodes.

use std::sync::Arc;

use doyen::prelude::*;

use super::{Node, Registry};

/// List the running nodes
#[get("/", allow = anyone)]
pub(crate) async fn list(
    registry: Arc<Registry>,
    session: Session,
) -> Result<Json<Vec<Node>>, Unexpected> {
    Ok(Json(registry.running(&session).await?))
}
