//! Bodies in JSON that name finished resumable uploads.

use std::sync::Arc;

use bytes::Bytes;
use doyen_core::problem::Plain;
use doyen_core::{At, Place, Refusal};
use doyen_data::Session;
use doyen_schema::input::{Input as _, Value, json};
use doyen_web::Request;
use doyen_web::extract::FromRequest as _;
use serde_json::json;

use super::Upload;
use crate::core::FilesCore;
use crate::policy::{Rules, UploadPolicy};
use crate::problems::UPLOAD_UNKNOWN;
use crate::resumable::{UploadId, redeem};

/// True if the body is JSON.
pub(super) fn is_json(content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Returns the name of the member with the ids.
fn member<P: UploadPolicy>() -> &'static str {
    match P::MAX_FILES {
        1 => "upload",
        _ => "uploads",
    }
}

/// Reads the body, and the uploads that it names.
pub(super) async fn receive<P: UploadPolicy>(
    core: &Arc<FilesCore>,
    request: &mut Request,
) -> Result<Option<Upload<P>>, Refusal> {
    let Some(bytes) = Bytes::from_request(request).await? else {
        return Ok(None);
    };
    let mut body = json::parse(&bytes, &json::Limits::default())?;
    let at = At::root(Place::Body);
    let mut failures = std::mem::take(&mut request.failures);
    let before = failures.len();
    let name = member::<P>();
    let ids = match &mut body {
        Value::Map(members) => {
            let place = members.iter().position(|(known, _)| known == name);
            let value = place.map(|place| members.remove(place).1);
            let at = at.field(name);
            match (value, P::MAX_FILES) {
                (None, _) if P::MIN_FILES == 0 => Some(Vec::new()),
                (None, _) => Vec::<UploadId>::absent(&at, &mut failures),
                (Some(value), 1) => UploadId::parse(value, &at, &mut failures).map(|id| vec![id]),
                (Some(value), _) => Vec::parse(value, &at, &mut failures),
            }
        }
        _ => None,
    };
    let count = ids.as_ref().map_or(P::MIN_FILES, Vec::len);
    if !(P::MIN_FILES..=P::MAX_FILES).contains(&count) {
        let (min, max) = (P::MIN_FILES, P::MAX_FILES);
        let at = at.field(name);
        at.fail(&mut failures, "items", format!("has {min} to {max} items"));
    }
    let fields = P::Fields::parse(body, &at, &mut failures);
    if let Some(fields) = &fields
        && P::Fields::ASYNC
        && failures.len() == before
    {
        let context = &request.parts.context;
        fields.verify(context, &at, &mut failures).await;
    }
    let is_valid = failures.len() == before;
    request.failures = failures;
    let (Some(ids), Some(fields), true) = (ids, fields, is_valid) else {
        return Ok(None);
    };
    let context = &request.parts.context;
    let owner = context
        .caller()
        .ok_or_else(|| Plain::new(&UPLOAD_UNKNOWN))?;
    let session = context.get::<Session>().await?;
    let rules = Rules::of::<P>();
    let redeemed = redeem(core, &session, rules, &owner.subject, ids).await?;
    // Last, because this begins the transaction.
    let files = redeemed.consume(core, &session).await?;
    Ok(Some(Upload { files, fields }))
}

/// Adds the body in JSON to the description of the form.
pub(super) fn describe<P: UploadPolicy>(operation: &mut serde_json::Value) {
    let Some(content) = operation.pointer_mut("/requestBody/content") else {
        return;
    };
    let mut schema = content["multipart/form-data"]["schema"].clone();
    let id = json!({
        "type": "string",
        "pattern": "^upl_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        "description": "Id of a finished resumable upload.",
    });
    let named = match P::MAX_FILES {
        1 => id,
        max => json!({"type": "array", "items": id, "minItems": P::MIN_FILES, "maxItems": max}),
    };
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove(P::PART);
        properties.insert(member::<P>().to_owned(), named);
    }
    if let Some(required) = schema["required"].as_array_mut() {
        for name in required.iter_mut().filter(|name| *name == P::PART) {
            *name = member::<P>().into();
        }
    }
    content["application/json"] = json!({"schema": schema});
}
