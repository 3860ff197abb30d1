//! The routes of resumable uploads.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::problem::Plain;
use doyen_core::{Access, Caller, Refusal, Timestamp, signed_in};
use doyen_schema::contract::{Contract, RequestBody};
use doyen_schema::{Input, Output, Schema};
use doyen_web::around::{Next, Request as LayerRequest};
use doyen_web::extract::{
    BodyStream, FromRequest, FromRequestParts, HeldMemory, ViaBody, unsupported_media_type,
};
use doyen_web::http::{HeaderName, HeaderValue, Method};
use doyen_web::{
    Created, Header, IntoResponse, Json, NoContent, Path, Request, Response, Route, Routes,
};

use super::append::{Incoming, append};
use super::protocol::{self, ALGORITHMS, Checksum, EXTENSIONS, MEDIA_TYPE, Metadata, VERSION};
use super::refused::{Appending, Creating, Finding, Refused};
use super::rows::{self, NotAdmitted, Resumable, UploadId};
use crate::core::{FilesCore, Scanning};
use crate::policy::{Rules, UploadPolicy};
use crate::problems::{self, OFFSET_CONFLICT, TOO_MANY_UPLOADS, UPLOAD_EXPIRED, UPLOAD_NOT_FOUND};
use crate::recognize::Recognizer;

/// Maximum time of one request with bytes. The client continues with another one.
const APPEND_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// What is held of a body that arrives.
const BUFFER_BYTES: usize = 64 << 10;

/// Returns the routes of resumable uploads (tus 1.0) for a policy: `POST /`, `HEAD`, `GET`, `PATCH`
/// and `DELETE /{id}`, `OPTIONS /`. Mount them with `files::resumable::<P>().at("/v1/uploads")`.
/// Every authenticated caller may use them; `.allow(..)` restricts them to a scope or a role. An
/// upload belongs to the user who created it.
///
/// A finished upload becomes a file once a request names it: see [`UploadPolicy::RESUMABLE`].
pub fn resumable<P: UploadPolicy>() -> Routes {
    let create = Route::post("/")
        .name("create_upload")
        .summary("Create a resumable upload")
        .description("Protocol: tus 1.0. The body can have the first bytes (`creation-with-upload`). `Location` is the URL to send the others to.")
        .timeout(APPEND_TIMEOUT)
        .handler(create::<P>);
    let show = Route::get("/{id}")
        .name("show_upload")
        .summary("Get a resumable upload")
        .description("`HEAD` returns the same headers. `Upload-Offset` is the number of bytes that are stored.")
        .handler(show);
    let append = Route::patch("/{id}")
        .name("append_to_upload")
        .summary("Continue a resumable upload")
        .description("If several requests continue an upload, the last one takes over.")
        .timeout(APPEND_TIMEOUT)
        .handler(append_to::<P>);
    let remove = Route::delete("/{id}")
        .name("remove_upload")
        .summary("Remove a resumable upload")
        .handler(remove);
    let options = Route::new("OPTIONS", "/")
        .name("upload_options")
        .summary("Get the limits of resumable uploads")
        .handler(options::<P>);
    let all = [create, show, append, remove, options];
    let name = HeaderName::from_static("tus-resumable");
    let version = HeaderValue::from_static(VERSION);
    let all = all.into_iter().map(|route| {
        let about = "Version of the tus protocol.";
        let route = route.response_header(name.clone(), version.clone(), about);
        route.allow(signed_in)
    });
    Routes::new(all.collect()).around(versioned)
}

/// The version of the protocol.
#[derive(Input)]
struct VersionHeader {
    /// Version of the tus protocol: `1.0.0`. Required, except with `GET` and `OPTIONS`.
    tus_resumable: Option<String>,
}

/// The version of the tus protocol is not supported. Send `Tus-Resumable: 1.0.0`.
#[derive(Debug, doyen_core::Problem)]
#[problem(precondition_failed, code = "tus_version_unsupported")]
struct UnsupportedVersion {
    /// The supported versions.
    #[problem(header = "Tus-Version")]
    version: &'static str,
}

/// Checks the version of a request.
async fn versioned(
    Header(given): Header<VersionHeader>,
    request: LayerRequest,
    next: Next,
) -> Result<Response, UnsupportedVersion> {
    let method = request.method();
    let may_lack = method.is_safe();
    let is_known = match given.tus_resumable.as_deref() {
        None => may_lack,
        Some(given) => given == VERSION || method == Method::OPTIONS,
    };
    if !is_known {
        return Err(UnsupportedVersion { version: VERSION });
    }
    Ok(next.run(request).await)
}

/// A resumable upload.
#[derive(Output)]
#[output(name = "ResumableUpload")]
struct UploadView {
    /// Upload id.
    id: UploadId,
    /// Size of the file in bytes.
    size: u64,
    /// Number of bytes that are stored.
    received: u64,
    /// Time at which it is removed, unless more bytes arrive or a request uses it.
    expires_at: Timestamp,
}

impl From<&Resumable> for UploadView {
    fn from(upload: &Resumable) -> Self {
        Self {
            id: upload.id,
            size: upload.size,
            received: upload.received,
            expires_at: upload.expires_at,
        }
    }
}

/// The headers of a new upload.
#[derive(Input)]
struct CreateHeaders {
    /// Size of the file in bytes.
    upload_length: u64,
    /// Pairs of a key and a value in base64, separated by commas: `filename`, `filetype`.
    upload_metadata: Option<String>,
    /// `sha256` or `sha1`, a space, and the hash of the bytes of this request in base64.
    upload_checksum: Option<String>,
}

/// The headers of more bytes.
#[derive(Input)]
struct AppendHeaders {
    /// Number of bytes that are stored already.
    upload_offset: u64,
    /// `sha256` or `sha1`, a space, and the hash of the bytes of this request in base64.
    upload_checksum: Option<String>,
}

/// The headers of a response about progress.
#[derive(Output)]
struct ProgressHeaders {
    /// Number of bytes that are stored.
    upload_offset: u64,
    /// Time at which the upload is removed.
    upload_expires: String,
    /// URL of the new upload.
    location: Option<String>,
}

impl ProgressHeaders {
    fn of(upload: &Resumable) -> Self {
        Self {
            upload_offset: upload.received,
            upload_expires: protocol::http_date(upload.expires_at),
            location: None,
        }
    }
}

/// The headers of a response about the whole upload.
#[derive(Output)]
struct StateHeaders {
    /// Size of the file in bytes.
    upload_length: u64,
    /// The metadata of the creation.
    upload_metadata: Option<String>,
}

/// The headers about the protocol.
#[derive(Output)]
struct OptionsHeaders {
    /// Supported versions.
    tus_version: &'static str,
    /// Supported extensions.
    tus_extension: &'static str,
    /// Maximum size of a file in bytes.
    tus_max_size: u64,
    /// Supported checksums.
    tus_checksum_algorithm: &'static str,
}

#[derive(Input)]
struct UploadPath {
    /// Upload id.
    id: UploadId,
}

/// The path of the request.
struct OwnPath(String);

impl FromRequestParts for OwnPath {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let path = request.parts.head.uri.path().trim_end_matches('/');
        Ok(Some(Self(path.to_owned())))
    }

    fn describe(_: &mut Contract<'_>) {}
}

/// The bytes of a request; for a new upload they can be missing.
struct Chunk<const REQUIRED: bool>(Option<Incoming>);

impl<const REQUIRED: bool> FromRequest<ViaBody> for Chunk<REQUIRED> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let given = request.parts.header("content-type");
        let essence = given.map(|given| given.split(';').next().unwrap_or_default().trim());
        match essence {
            None if !REQUIRED => return Ok(Some(Self(None))),
            Some(given) if given.eq_ignore_ascii_case(MEDIA_TYPE) => {}
            _ => {
                return Err(unsupported_media_type(format!(
                    "send the bytes as `{MEDIA_TYPE}`"
                )));
            }
        }
        let body = BodyStream::of(request)?;
        let memory = HeldMemory::of(request, BUFFER_BYTES);
        Ok(Some(Self(Some(Incoming { body, memory }))))
    }

    fn describe(contract: &mut Contract<'_>) {
        let operation = &mut *contract.operation;
        operation.body = Some(RequestBody {
            media_types: vec![MEDIA_TYPE],
            required: REQUIRED,
            schema: Schema::of("string").with("format", "binary"),
            description: "The next bytes of the file.".to_owned(),
        });
        operation.streams_body = true;
        operation.fails(BodyStream::problems());
    }
}

fn checksum(given: Option<&str>) -> Result<Option<Checksum>, Refusal> {
    given.map(Checksum::parse).transpose()
}

async fn create<P: UploadPolicy>(
    caller: Caller,
    core: Arc<FilesCore>,
    OwnPath(path): OwnPath,
    Header(given): Header<CreateHeaders>,
    Chunk(body): Chunk<false>,
) -> Result<impl IntoResponse, Refused<Creating>> {
    let rules = Rules::of::<P>();
    let metadata = given.upload_metadata.unwrap_or_default();
    let checksum = checksum(given.upload_checksum.as_deref())?;
    let declared = Metadata::parse(&metadata)?;
    Recognizer::new(rules.kinds, declared.name, declared.media_type.as_deref())?;
    if matches!(core.scanning, Scanning::Missing) {
        return Err(problems::scanner_unavailable().into());
    }
    let limit = rules.max_bytes.min(core.max_bytes);
    if given.upload_length > limit {
        return Err(problems::too_large(limit).into());
    }
    let mut upload = Resumable {
        id: UploadId::new(),
        owner: caller.subject.to_string(),
        metadata,
        size: given.upload_length,
        received: 0,
        parts: 0,
        expires_at: core.now() + core.uploads.lifetime,
    };
    // Committed before the first bytes: a client whose connection is cut continues. What it has
    // sent is of use only if it has the URL, but no transaction may wait for it.
    let session = core.database.session(Access::Write);
    match rows::insert(&session, &upload, &core.uploads).await? {
        Ok(()) => session.commit().await?,
        Err(reason) => {
            session.rollback().await;
            return Err(match reason {
                NotAdmitted::User => Refusal::from(Plain::new(&TOO_MANY_UPLOADS)),
                NotAdmitted::All => problems::uploads_full(),
            }
            .into());
        }
    }
    if let Some(incoming) = body {
        let id = upload.id;
        match append(&core, rules, upload, incoming, checksum).await {
            Ok(appended) => upload = appended,
            Err(refusal) => {
                // The client does not know the URL.
                core.remove_upload(id).await?;
                return Err(refusal.into());
            }
        }
    }
    let headers = ProgressHeaders {
        location: Some(format!("{path}/{}", upload.id)),
        ..ProgressHeaders::of(&upload)
    };
    Ok(Created(UploadView::from(&upload)).with_headers(headers))
}

/// Finds an upload of the caller.
async fn find(core: &FilesCore, caller: &Caller, id: UploadId) -> Result<Resumable, Refusal> {
    let session = core.database.session(Access::Read);
    let found = rows::find(&session, id).await?;
    let found = found.filter(|upload| *upload.owner == *caller.subject);
    let found = found.ok_or_else(|| Plain::new(&UPLOAD_NOT_FOUND))?;
    match found.expires_at > core.now() {
        true => Ok(found),
        false => Err(Plain::new(&UPLOAD_EXPIRED).into()),
    }
}

async fn show(
    caller: Caller,
    core: Arc<FilesCore>,
    Path(UploadPath { id }): Path<UploadPath>,
) -> Result<impl IntoResponse, Refused<Finding>> {
    let upload = find(&core, &caller, id).await?;
    let metadata = (!upload.metadata.is_empty()).then(|| upload.metadata.clone());
    let state = StateHeaders {
        upload_length: upload.size,
        upload_metadata: metadata,
    };
    let response = Json(UploadView::from(&upload)).with_headers(state);
    Ok(response.with_headers(ProgressHeaders::of(&upload)))
}

async fn append_to<P: UploadPolicy>(
    caller: Caller,
    core: Arc<FilesCore>,
    Path(UploadPath { id }): Path<UploadPath>,
    Header(given): Header<AppendHeaders>,
    Chunk(body): Chunk<true>,
) -> Result<impl IntoResponse, Refused<Appending>> {
    let checksum = checksum(given.upload_checksum.as_deref())?;
    let mut upload = find(&core, &caller, id).await?;
    if given.upload_offset != upload.received {
        let stored = upload.received;
        let problem = Plain::new(&OFFSET_CONFLICT).detail(format!("{stored} bytes are stored"));
        return Err(Refusal::from(problem).into());
    }
    if let Some(incoming) = body {
        upload = append(&core, Rules::of::<P>(), upload, incoming, checksum).await?;
    }
    Ok(NoContent.with_headers(ProgressHeaders::of(&upload)))
}

async fn remove(
    caller: Caller,
    core: Arc<FilesCore>,
    Path(UploadPath { id }): Path<UploadPath>,
) -> Result<NoContent, Refused<Finding>> {
    let upload = find(&core, &caller, id).await?;
    match core.remove_upload(upload.id).await? {
        true => Ok(NoContent),
        false => Err(Refusal::from(Plain::new(&UPLOAD_NOT_FOUND)).into()),
    }
}

async fn options<P: UploadPolicy>(core: Arc<FilesCore>) -> impl IntoResponse {
    NoContent.with_headers(OptionsHeaders {
        tus_version: VERSION,
        tus_extension: EXTENSIONS,
        tus_max_size: Rules::of::<P>().max_bytes.min(core.max_bytes),
        tus_checksum_algorithm: ALGORITHMS,
    })
}
