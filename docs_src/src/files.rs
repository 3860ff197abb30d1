//! A folder of files, and files as responses.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::{File, Files};

/// Why there is no invoice.
#[derive(Debug, Problem)]
enum FindInvoice {
    /// There is no such invoice.
    #[problem(not_found, code = "invoice_not_found")]
    Missing,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The folder of the invoices, which is not served as a whole.
pub struct Invoices(Files);

/// Download an invoice
#[get("/invoices/{name}", allow = signed_in)]
async fn invoice(name: String, invoices: Arc<Invoices>) -> Result<File, FindInvoice> {
    let file = invoices.0.open(&name).await?;
    let file = file.ok_or(FindInvoice::Missing)?;
    Ok(file.attachment(&name))
}

/// The module: pages and their assets for everyone, invoices for users.
pub fn module(folder: &std::path::Path) -> Module {
    let assets = Files::new(folder.join("assets")).immutable();
    Module::new("pages")
        .files("/", anyone, folder.join("pages"))
        .files("/assets", anyone, assets)
        .routes(routes![invoice])
        .provide(Arc::new(Invoices(Files::new(folder.join("invoices")))))
}
