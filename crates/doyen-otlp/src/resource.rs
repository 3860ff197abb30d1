//! What sends the telemetry.

use doyen_app::AppInfo;
use doyen_core::RequestId;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// Describes this process.
pub(crate) fn resource(info: &AppInfo, service: Option<&str>) -> Resource {
    // The process, and not the host: two on one host are two instances.
    let instance = RequestId::new();
    let environment = if info.environment.is_prod() {
        "production"
    } else {
        "development"
    };
    Resource {
        attributes: vec![
            text("service.name", service.unwrap_or(info.name)),
            text("service.version", &info.version),
            text("service.instance.id", instance.as_str()),
            text("deployment.environment.name", environment),
            integer("process.pid", std::process::id().into()),
            text("telemetry.sdk.name", "doyen"),
            text("telemetry.sdk.language", "rust"),
            text("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ],
        ..Resource::default()
    }
}

/// The library that made the telemetry.
pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "doyen".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub(crate) fn integer(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Returns the text of an attribute.
pub(crate) fn text_of(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|one| one.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}
