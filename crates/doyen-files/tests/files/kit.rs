//! The application under test: routes that keep, show, send and remove files.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::domain::inject::Needs;
use doyen::domain::{Identify, Refusal, RequestCredentials};
use doyen::files::{
    Download, FileId, FileKind, Files, KeepFile, NoFields, OpenFile, RawUpload, StoredFile, Upload,
    UploadPolicy,
};
use doyen::prelude::*;
use doyen::web::File;
use doyen_test::{Answer, Setup, Subject, TestApp};

/// Maximum size of a file of the test application.
pub(crate) const MAX_BYTES: usize = 1 << 20;

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// Documents.
pub(crate) struct Documents;

impl UploadPolicy for Documents {
    type Fields = DocumentFields;
    const KINDS: &'static [FileKind] = &[
        FileKind::PNG,
        FileKind::PDF,
        FileKind::ZIP,
        FileKind::TEXT,
        FileKind::CSV,
    ];
    const MAX_BYTES: u64 = MAX_BYTES as u64;
    const MAX_FILES: usize = 3;
    const RESUMABLE: bool = true;
}

/// The other fields of a form.
#[derive(Input)]
pub(crate) struct DocumentFields {
    /// Note.
    #[validate(length(min = 1, max = 100))]
    note: Option<String>,
    /// Tags.
    #[input(default)]
    #[validate(items(max = 5))]
    tags: Vec<String>,
    /// Number of pages.
    pages: Option<u32>,
}

/// One text of any size.
pub(crate) struct Large;

impl UploadPolicy for Large {
    type Fields = NoFields;
    const KINDS: &'static [FileKind] = &[FileKind::TEXT];
    const MAX_BYTES: u64 = 1 << 40;
    const MAX_FILES: usize = 1;
    const RESUMABLE: bool = true;
}

/// Kept files.
#[derive(Output)]
pub(crate) struct Kept {
    /// Files.
    files: Vec<FileView>,
    /// Note.
    note: Option<String>,
    /// Tags.
    tags: Vec<String>,
    /// Number of pages.
    pages: Option<u32>,
}

/// A kept file.
#[derive(Output)]
pub(crate) struct FileView {
    /// Id.
    id: FileId,
    /// Name.
    name: String,
    /// Media type.
    media_type: String,
    /// Size.
    size: u64,
    /// SHA-256.
    sha256: String,
    /// Status.
    status: String,
}

impl From<StoredFile> for FileView {
    fn from(file: StoredFile) -> Self {
        Self {
            id: file.id,
            name: file.name,
            media_type: file.media_type,
            size: file.size,
            sha256: file.sha256,
            status: file.status.as_str().to_owned(),
        }
    }
}

/// Errors of the routes.
#[derive(Debug, Problem)]
pub(crate) enum Failed {
    /// There is no such file.
    #[problem(not_found, code = "file_not_found")]
    Missing,
    /// The handler fails after it has kept the file.
    #[problem(conflict, code = "on_purpose")]
    OnPurpose,
    /// The file cannot be kept.
    #[problem(transparent)]
    Keep(KeepFile),
    /// The file cannot be read.
    #[problem(transparent)]
    Open(OpenFile),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Keep the files of a form
#[post("/files", allow = anyone)]
async fn keep(files: Files, upload: Upload<Documents>) -> Result<Created<Kept>, Failed> {
    let mut kept = Vec::new();
    for file in upload.files {
        kept.push(files.keep(file, "ada").await?.into());
    }
    let DocumentFields { note, tags, pages } = upload.fields;
    if note.as_deref() == Some("fail") {
        return Err(Failed::OnPurpose);
    }
    Ok(Created(Kept {
        files: kept,
        note,
        tags,
        pages,
    }))
}

/// Keep one text
#[post("/texts", allow = signed_in, idempotent)]
async fn keep_text(files: Files, upload: Upload<Large>) -> Result<Created<FileView>, Failed> {
    let file = upload.into_file().ok_or(Failed::Missing)?;
    Ok(Created(files.keep(file, "ada").await?.into()))
}

/// Receive a form and drop its files
#[post("/dropped", allow = anyone)]
async fn dropped(upload: Upload<Documents>) -> NoContent {
    drop(upload);
    NoContent
}

/// Keep a body
#[put("/raw", allow = anyone, timeout = std::time::Duration::from_secs(600))]
async fn raw(files: Files, upload: RawUpload<Large>) -> Result<Json<FileView>, Failed> {
    Ok(Json(files.keep(upload.file, "ada").await?.into()))
}

/// Keep an image
#[put("/image", allow = anyone)]
async fn image(files: Files, upload: RawUpload<Documents>) -> Result<Json<FileView>, Failed> {
    Ok(Json(files.keep(upload.file, "ada").await?.into()))
}

async fn find(files: &Files, id: FileId) -> Result<StoredFile, Failed> {
    files.find(id).await?.ok_or(Failed::Missing)
}

/// Get a file
#[get("/files/{id}", allow = anyone)]
async fn show(files: Files, id: FileId) -> Result<Json<FileView>, Failed> {
    Ok(Json(find(&files, id).await?.into()))
}

/// Get the content of a file
#[get("/files/{id}/content", allow = anyone)]
async fn content(files: Files, id: FileId) -> Result<File, Failed> {
    let file = find(&files, id).await?;
    Ok(files.open(&file).await?)
}

/// Download a file
#[get("/files/{id}/download", allow = anyone)]
async fn download(files: Files, id: FileId) -> Result<Download, Failed> {
    let file = find(&files, id).await?;
    Ok(files.download(&file).await?)
}

/// Remove a file
#[delete("/files/{id}", allow = anyone)]
async fn remove(files: Files, id: FileId) -> Result<NoContent, Failed> {
    match files.remove(id).await? {
        true => Ok(NoContent),
        false => Err(Failed::Missing),
    }
}

/// Get a link to a file
#[get("/files/{id}/link", allow = anyone)]
async fn link(files: Files, id: FileId) -> Result<Text, Failed> {
    let file = find(&files, id).await?;
    Ok(Text(format!("/shared/{}", files.sign(file.id, secs(60)))))
}

/// Get a shared file
#[get("/shared/{token}", allow = anyone, mask_path)]
async fn shared(files: Files, token: String) -> Result<File, Failed> {
    let file = files.find_signed(&token).await?.ok_or(Failed::Missing)?;
    Ok(files.open(&file).await?)
}

/// Identifies callers by their names: `Authorization: Name ada`.
pub(crate) struct Names;

impl Plugin for Names {
    const NAME: &'static str = "names_of_tests";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.identify(Arc::new(Self), Needs::default());
        Ok(())
    }
}

#[doyen::domain::__private::async_trait::async_trait]
impl Identify for Names {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let name = credentials.after("Name");
        Ok(name.map(|name| Arc::new(Caller::new(name))))
    }
}

pub(crate) fn app() -> App {
    let uploads = doyen::files::resumable::<Documents>().at("/uploads");
    let large = doyen::files::resumable::<Large>().at("/large");
    App::new("files")
        .plugin(Names)
        .module(Module::new("files").routes(routes![
            keep, dropped, raw, image, show, content, download, remove, link, shared, keep_text
        ]))
        .module(Module::new("uploads").routes(uploads))
        .module(Module::new("large").routes(large))
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Returns a folder for one test.
pub(crate) fn new_folder() -> PathBuf {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("doyen-files-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}

/// The folder of one test, removed with its application.
pub(crate) struct TestFolder(pub(crate) PathBuf);

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns the settings of a test without a scanner, whose jobs run when the test says so.
pub(crate) fn setup() -> Setup {
    setup_in(new_folder())
}

pub(crate) fn setup_in(folder: PathBuf) -> Setup {
    Setup::new()
        .set("files.folder", &folder.display().to_string())
        .set("jobs.work", "false")
        .module(Module::new("folder").provide(Arc::new(TestFolder(folder))))
}

/// Returns the folder of a test.
pub(crate) async fn folder(app: &TestApp) -> PathBuf {
    app.inject::<Arc<TestFolder>>().await.0.clone()
}

/// The application without a scanner.
pub(crate) struct Unscanned(TestApp);

impl Subject for Unscanned {
    fn app() -> App {
        app()
    }
    fn setup() -> Setup {
        setup()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Unscanned {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

async fn pass_on(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// The same with a layer around all requests.
pub(crate) struct Layered(TestApp);

impl Subject for Layered {
    fn app() -> App {
        app().around(pass_on)
    }
    fn setup() -> Setup {
        setup()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Layered {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// A part of a form: its headers after `form-data`, and its content.
pub(crate) struct Part<'a> {
    pub(crate) disposition: &'a str,
    pub(crate) media_type: Option<&'a str>,
    pub(crate) content: &'a [u8],
}

pub(crate) const BOUNDARY: &str = "----doyen-boundary";

/// Writes a form.
pub(crate) fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let media_type = part.media_type;
        let media_type = media_type.map(|given| format!("Content-Type: {given}\r\n"));
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; {}\r\n{}\r\n",
            part.disposition,
            media_type.unwrap_or_default(),
        );
        body.extend([head.as_bytes(), part.content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn text<'a>(name: &'a str, content: &'a str) -> Part<'a> {
    Part {
        disposition: name,
        media_type: None,
        content: content.as_bytes(),
    }
}

pub(crate) fn file<'a>(disposition: &'a str, media_type: &'a str, content: &'a [u8]) -> Part<'a> {
    Part {
        disposition,
        media_type: Some(media_type),
        content,
    }
}

/// Sends a form.
pub(crate) async fn send(app: &TestApp, parts: &[Part<'_>]) -> Answer {
    send_bytes(app, form(parts)).await
}

pub(crate) async fn send_bytes(app: &TestApp, body: Vec<u8>) -> Answer {
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    app.post("/files").body(&media_type, body).send().await
}

/// Sends one file.
pub(crate) async fn send_file(
    app: &TestApp,
    name: &str,
    media_type: &str,
    content: &[u8],
) -> Answer {
    let disposition = format!("name=\"file\"; filename=\"{name}\"");
    send(app, &[file(&disposition, media_type, content)]).await
}

/// Keeps one file and returns its id.
pub(crate) async fn kept(app: &TestApp, name: &str, media_type: &str, content: &[u8]) -> String {
    let kept = send_file(app, name, media_type, content).await.expect(201);
    kept.text_at("/files/0/id")
}

/// Returns the names of all files below a folder.
pub(crate) fn objects(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push(path.display().to_string()),
            }
        }
    }
    found.sort();
    found
}

/// Makes every file below a folder old enough for the sweeper.
pub(crate) fn age(folder: &std::path::Path) {
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    for object in objects(folder) {
        let file = std::fs::File::options().write(true).open(&object).unwrap();
        file.set_modified(old).unwrap();
    }
}

/// Waits until there are this many files below a folder: those of dropped uploads are removed in
/// the background.
pub(crate) async fn until_objects(folder: &std::path::Path, wanted: usize) {
    let reached = async {
        while objects(folder).len() != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let reached = tokio::time::timeout(std::time::Duration::from_secs(60), reached).await;
    assert!(
        reached.is_ok(),
        "not {wanted} objects: {:?}",
        objects(folder)
    );
}

/// Returns the topics in the outbox, in their order.
pub(crate) async fn events(app: &TestApp) -> Vec<String> {
    let rows = app
        .rows("SELECT topic FROM doyen_outbox ORDER BY id", [])
        .await;
    rows.iter()
        .map(|row| row["topic"].as_str().unwrap_or_default().to_owned())
        .collect()
}
