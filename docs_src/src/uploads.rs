//! Uploads that are limited, checked and scanned, and their downloads.

use doyen::files::{Download, FileId, FileKind, Files, KeepFile, OpenFile, Upload, UploadPolicy};
use doyen::prelude::*;
use doyen::web::File;

/// What a receipt may be.
struct ReceiptPolicy;

impl UploadPolicy for ReceiptPolicy {
    type Fields = ReceiptForm;
    const KINDS: &'static [FileKind] = &[FileKind::PDF, FileKind::PNG, FileKind::JPEG];
    const MAX_BYTES: u64 = 5 << 20;
    const MAX_FILES: usize = 3;
    const RESUMABLE: bool = true;
}

/// The other fields of the form.
#[derive(Input)]
struct ReceiptForm {
    /// Purpose of the expense.
    #[validate(length(min = 1, max = 200))]
    purpose: String,
}

/// Receipts that were kept.
#[derive(Output)]
struct Receipts {
    /// Purpose of the expense.
    purpose: String,
    /// Ids of the files.
    files: Vec<FileId>,
}

/// Hand in receipts
#[post("/receipts", allow = signed_in, timeout = std::time::Duration::from_secs(120))]
async fn hand_in(
    caller: Caller,
    files: Files,
    upload: Upload<ReceiptPolicy>,
) -> Result<Created<Receipts>, KeepFile> {
    let mut ids = Vec::new();
    for file in upload.files {
        ids.push(files.keep(file, &caller.subject).await?.id);
    }
    Ok(Created(Receipts {
        purpose: upload.fields.purpose,
        files: ids,
    }))
}

/// Errors when reading a receipt.
#[derive(Debug, Problem)]
enum ReadReceipt {
    /// There is no such receipt, or it is not yours.
    #[problem(not_found, code = "receipt_not_found")]
    Missing,
    /// The content cannot be read.
    #[problem(transparent)]
    Open(OpenFile),
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Download a receipt
#[get("/receipts/{id}", allow = signed_in)]
async fn download(caller: Caller, files: Files, id: FileId) -> Result<Download, ReadReceipt> {
    let file = files.find(id).await?;
    let own = file.filter(|file| *file.owner == *caller.subject);
    let file = own.ok_or(ReadReceipt::Missing)?;
    Ok(files.download(&file).await?)
}

/// Share a receipt
///
/// The link works for ten minutes, without a login.
#[post("/receipts/{id}/links", allow = signed_in)]
async fn share(caller: Caller, files: Files, id: FileId) -> Result<Text, ReadReceipt> {
    let file = files.find(id).await?;
    let own = file.filter(|file| *file.owner == *caller.subject);
    let file = own.ok_or(ReadReceipt::Missing)?;
    let token = files.sign(file.id, secs(600));
    Ok(Text(format!("/shared/{token}")))
}

/// Download a shared receipt
#[get("/shared/{token}", allow = anyone, mask_path)]
async fn shared(files: Files, token: String) -> Result<File, ReadReceipt> {
    let file = files.find_signed(&token).await?;
    let file = file.ok_or(ReadReceipt::Missing)?;
    Ok(files.open(&file).await?)
}

/// The module with receipts, and resumable uploads for them.
pub fn module() -> Module {
    let uploads = doyen::files::resumable::<ReceiptPolicy>();
    Module::new("receipts")
        .routes(routes![hand_in, download, share, shared])
        .routes(uploads.at("/uploads"))
}
