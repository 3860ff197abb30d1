//! The extractors of uploads.

mod form;
mod named;

use std::sync::Arc;

use doyen_core::inject::{Context, Needs};
use doyen_core::{At, Invalid, Place, Problem as _, Refusal};
use doyen_data::Session;
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, RequestBody};
use doyen_schema::input::json::JsonError;
use doyen_schema::input::{Input as _, Object as _, text};
use doyen_web::Request;
use doyen_web::extract::{BodyStream, FromRequest, HeldMemory, ViaBody};
use http::header::CONTENT_DISPOSITION;

use crate::core::FilesCore;
use crate::figures::add;
use crate::intake::{Intake, Received};
use crate::kind::HEAD_BYTES;
use crate::name::Disposition;
use crate::policy::{Rules, UploadPolicy};
use crate::problems;

/// Files of a form (`multipart/form-data`), with its other fields.
///
/// The body is read while it arrives. Each file is checked against the policy `P` and waits in
/// quarantine; [`Files::keep`](crate::Files::keep) keeps it, and the files that the handler drops
/// are removed.
///
/// With [`UploadPolicy::RESUMABLE`] the body can also be JSON that names finished
/// [resumable](fn@crate::resumable) uploads. They are used up if the unit of work commits.
///
/// ```
/// # extern crate doyen_files as doyen;
/// use doyen_files::{FileKind, Files, KeepFile, NoFields, Upload, UploadPolicy};
/// # use doyen_core::Refusal;
///
/// struct Portrait;
///
/// impl UploadPolicy for Portrait {
///     type Fields = NoFields;
///     const KINDS: &'static [FileKind] = &[FileKind::PNG, FileKind::JPEG];
///     const MAX_BYTES: u64 = 2 << 20;
///     const MAX_FILES: usize = 1;
/// }
///
/// async fn set_portrait(files: Files, upload: Upload<Portrait>) -> Result<(), KeepFile> {
///     for file in upload.files {
///         files.keep(file, "user").await?;
///     }
///     Ok(())
/// }
/// # let _ = set_portrait;
/// ```
pub struct Upload<P: UploadPolicy> {
    /// The files, in the order of the form.
    pub files: Vec<Received>,
    /// The other fields.
    pub fields: P::Fields,
}

impl<P: UploadPolicy> std::fmt::Debug for Upload<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl<P: UploadPolicy> Upload<P> {
    /// Returns the first file, for a policy with one.
    pub fn into_file(self) -> Option<Received> {
        self.files.into_iter().next()
    }
}

/// The body as one file, such as the body of `PUT /portrait`.
///
/// Its kind is that of the `Content-Type`, its name that of a `Content-Disposition`, if there is
/// one.
#[derive(Debug)]
pub struct RawUpload<P> {
    /// The file.
    pub file: Received,
    policy: std::marker::PhantomData<fn() -> P>,
}

/// What is held of a body that arrives: the chunk that is being written, its copy in the parser of
/// forms, and the first bytes of the file.
const BUFFER_BYTES: usize = 2 * form::MAX_CHUNK_BYTES + HEAD_BYTES;

async fn core(context: &Context) -> Result<Arc<FilesCore>, Refusal> {
    context.get::<Arc<FilesCore>>().await
}

fn counted<T>(core: &FilesCore, received: Result<T, Refusal>) -> Result<T, Refusal> {
    if received.is_err() {
        add(&core.figures.refused, 1);
    }
    received
}

impl<P: UploadPolicy> FromRequest<ViaBody> for Upload<P> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let core = core(&request.parts.context).await?;
        if P::RESUMABLE && named::is_json(request.parts.header("content-type")) {
            let received = named::receive(&core, request).await;
            return counted(&core, received);
        }
        let boundary = form::boundary(request.parts.header("content-type"))?;
        let body = BodyStream::of(request)?;
        let mut memory = HeldMemory::of(request, BUFFER_BYTES);
        let received = form::receive(&core, Rules::of::<P>(), body, boundary, &mut memory).await;
        let form::Form { files, fields } = counted(&core, received)?;
        memory.keep(request);
        let at = At::root(Place::Body);
        let failures = &mut request.failures;
        let before = failures.len();
        let few = files.len() < P::MIN_FILES;
        if few {
            at.field(P::PART)
                .fail(failures, "required", "is a required file");
        }
        let fields = fields
            .into_iter()
            .map(|(name, text)| (name.into(), text.into()));
        let fields = P::Fields::parse(text::collect(fields), &at, failures);
        let Some(fields) = fields.filter(|_| !few) else {
            return Ok(None);
        };
        if P::Fields::ASYNC && failures.len() == before {
            fields.verify(&request.parts.context, &at, failures).await;
        }
        let is_valid = request.failures.len() == before;
        Ok(is_valid.then_some(Self { files, fields }))
    }

    fn describe(contract: &mut Contract<'_>) {
        let rules = Rules::of::<P>();
        let mut properties = serde_json::Map::new();
        let mut required = Vec::new();
        for field in P::Fields::fields(contract.components) {
            let mut schema = field.schema;
            if !field.description.is_empty() {
                schema = schema.with("description", field.description);
            }
            properties.insert(field.name.to_owned(), schema.into_json());
            if field.required {
                required.push(field.name);
            }
        }
        let file = file_schema(rules);
        let part = match rules.max_files {
            1 => file,
            max => Schema::of("array")
                .with("items", file.into_json())
                .with("minItems", rules.min_files)
                .with("maxItems", max),
        };
        properties.insert(rules.part.to_owned(), part.into_json());
        if rules.min_files > 0 {
            required.push(rules.part);
        }
        let mut schema = Schema::of("object")
            .with("properties", properties)
            .with("additionalProperties", P::Fields::OPEN);
        if !required.is_empty() {
            schema = schema.with("required", required);
        }
        describe(contract, vec!["multipart/form-data"], schema);
        contract.operation.edits.push(add_encoding::<P>);
        contract
            .operation
            .fails([&problems::MALFORMED_FORM, &problems::TOO_MANY_FILES]);
        contract.operation.fails(Invalid::catalogue());
        if P::RESUMABLE {
            contract.operation.edits.push(named::describe::<P>);
            contract
                .operation
                .fails([&problems::UPLOAD_UNKNOWN, &problems::UPLOAD_INCOMPLETE]);
            contract.operation.fails(JsonError::catalogue());
        }
    }

    fn needs(needs: &mut Needs) {
        needs.add::<Arc<FilesCore>>();
        if P::RESUMABLE {
            needs.add::<Session>();
        }
    }
}

impl<P: UploadPolicy> FromRequest<ViaBody> for RawUpload<P> {
    async fn from_request(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let core = core(&request.parts.context).await?;
        let headers = &request.parts.head.headers;
        let disposition = headers
            .get(CONTENT_DISPOSITION)
            .map(http::HeaderValue::as_bytes);
        let disposition = disposition.map(String::from_utf8_lossy).unwrap_or_default();
        let given_name = Disposition::parse(&disposition).and_then(|given| given.file_name);
        let given_name = given_name.unwrap_or_default();
        let media_type = request.parts.header("content-type").map(str::to_owned);
        let body = BodyStream::of(request)?;
        let rules = Rules::of::<P>();
        let _memory = HeldMemory::of(request, BUFFER_BYTES);
        let receive = async {
            refuse_announced(body.announced(), rules.max_bytes.min(core.max_bytes), 0)?;
            let mut body = body;
            let mut intake = Intake::begin(&core, rules, given_name, media_type.as_deref()).await?;
            while let Some(chunk) = body.next().await? {
                intake.write(chunk).await?;
            }
            drop(body);
            intake.finish().await
        };
        let received = receive.await;
        let file = counted(&core, received)?;
        let policy = std::marker::PhantomData;
        Ok(Some(Self { file, policy }))
    }

    fn describe(contract: &mut Contract<'_>) {
        let rules = Rules::of::<P>();
        let kinds = rules.kinds.iter().map(|kind| kind.media_type());
        describe(contract, kinds.collect(), file_schema(rules));
    }

    fn needs(needs: &mut Needs) {
        needs.add::<Arc<FilesCore>>();
    }
}

/// Refuses a body whose announced length exceeds the limit, before it arrives.
fn refuse_announced(announced: Option<u64>, limit: u64, overhead: u64) -> Result<(), Refusal> {
    match announced {
        Some(length) if length > limit.saturating_add(overhead) => Err(problems::too_large(limit)),
        _ => Ok(()),
    }
}

fn file_schema(rules: Rules) -> Schema {
    let media_type = match rules.kinds {
        [only] => only.media_type(),
        _ => "application/octet-stream",
    };
    let names: Vec<&str> = rules.kinds.iter().map(|kind| kind.media_type()).collect();
    let (max, names) = (rules.max_bytes, names.join(", "));
    Schema::of("string")
        .with("format", "binary")
        .with("contentMediaType", media_type)
        .with("maxLength", max)
        .with(
            "description",
            format!("A file of at most {max} bytes: {names}."),
        )
}

fn describe(contract: &mut Contract<'_>, media_types: Vec<&'static str>, schema: Schema) {
    let operation = &mut *contract.operation;
    operation.body = Some(RequestBody {
        media_types,
        required: true,
        schema,
        description: String::new(),
    });
    operation.streams_body = true;
    operation.fails(problems::intake());
    operation.fails(BodyStream::problems());
}

/// Adds the media types of the files to the description of the form.
fn add_encoding<P: UploadPolicy>(operation: &mut serde_json::Value) {
    let kinds = P::KINDS.iter().map(|kind| kind.media_type());
    let kinds: Vec<&str> = kinds.collect();
    let form = operation.pointer_mut("/requestBody/content/multipart~1form-data");
    if let Some(form) = form {
        form["encoding"] = serde_json::json!({(P::PART): {"contentType": kinds.join(", ")}});
    }
}
