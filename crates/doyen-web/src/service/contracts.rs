//! The contracts of all routes.

use doyen_schema::Named;
use doyen_schema::contract::Operation;

/// The contracts of all routes, without their handlers: what the OpenAPI document is made from.
#[derive(Debug)]
pub struct Contracts {
    /// Every route, in mounting order.
    pub operations: Vec<Operation>,
    /// The named schemas.
    pub components: Named,
    /// Name and description of each module.
    pub modules: Vec<(String, String)>,
}
