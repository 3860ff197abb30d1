//! The token request of RFC 6749: unknown parameters are ignored, and every error is a 400 in its
//! format.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doyen_core::{At, Failures, Refusal, Secret};
use doyen_schema::contract::Contract;
use doyen_schema::input::{Field, Input, Object, Value, text};
use doyen_schema::{Components, Schema};
use doyen_web::Request;
use doyen_web::extract::FromRequestParts;
use http::header;

use super::problems::NoToken;

/// The parameters of the form. They are validated by the handler, because an invalid one is not a
/// 422 here.
pub(super) struct Parameters(Vec<(&'static str, Vec<String>)>);

const GRANT_TYPE: &str = "grant_type";
const SCOPE: &str = "scope";
const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";
const NAMES: [&str; 4] = [GRANT_TYPE, SCOPE, CLIENT_ID, CLIENT_SECRET];

impl Parameters {
    /// Returns the value of a parameter, or `None` if it is empty (RFC 6749 section 3.2).
    fn get(&self, name: &str) -> Result<Option<&str>, NoToken> {
        let values = self.0.iter().find(|(known, _)| *known == name);
        match values.map(|(_, values)| values.as_slice()) {
            None | Some([]) => Ok(None),
            Some([value]) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            Some(_) => Err(NoToken::Request("a parameter is repeated; send it once")),
        }
    }
}

impl Input for Parameters {
    fn parse(value: Value<'_>, _: &At<'_>, _: &mut Failures) -> Option<Self> {
        let Value::Map(entries) = value else {
            return Some(Self(Vec::new()));
        };
        let text = |value: &Value<'_>| value.as_text().unwrap_or_default().to_owned();
        let known = entries.into_iter().filter_map(|(name, value)| {
            let name = NAMES.into_iter().find(|known| *known == name)?;
            let values = match &value {
                Value::List(items) => items.iter().map(text).collect(),
                one => vec![text(one)],
            };
            Some((name, values))
        });
        Some(Self(known.collect()))
    }

    fn schema(all: &mut Components) -> Schema {
        let mut properties = serde_json::Map::new();
        for field in Self::fields(all) {
            let schema = field.schema.with("description", field.description);
            properties.insert(field.name.to_owned(), schema.into_json());
        }
        Schema::of("object")
            .with("properties", properties)
            .with("required", vec![GRANT_TYPE])
    }
}

impl Object for Parameters {
    const OPEN: bool = true;

    fn names() -> &'static [&'static str] {
        &NAMES
    }

    fn fields(_: &mut Components) -> Vec<Field> {
        let field = |name, required, schema, description: &str| Field {
            name,
            required,
            schema,
            description: description.to_owned(),
            deprecated: false,
            hidden: false,
        };
        let text = || Schema::of("string").with("maxLength", 1_000);
        let secret = text().with("format", "password").with("writeOnly", true);
        vec![
            field(
                GRANT_TYPE,
                true,
                Schema::of("string").with("const", "client_credentials"),
                "Grant type. Always `client_credentials`.",
            ),
            field(
                SCOPE,
                false,
                text(),
                "Space-separated scopes of the token. If omitted, all scopes of the client.",
            ),
            field(
                CLIENT_ID,
                false,
                text(),
                "Id of the client, unless it is sent with HTTP Basic.",
            ),
            field(
                CLIENT_SECRET,
                false,
                secret,
                "Secret of the client, unless it is sent with HTTP Basic.",
            ),
        ]
    }
}

/// The `Authorization` headers of a token request.
pub(super) struct Authorization(Vec<String>);

impl FromRequestParts for Authorization {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let all = request.parts.head.headers.get_all(header::AUTHORIZATION);
        // A header that is not text holds no credentials.
        let texts = all.iter().map(|value| value.to_str().unwrap_or_default());
        Ok(Some(Self(texts.map(str::to_owned).collect())))
    }

    fn describe(_: &mut Contract<'_>) {}
}

/// A valid token request.
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) secret: Secret<String>,
    /// The requested scopes, or `None` for all scopes of the client.
    pub(super) scopes: Option<Vec<String>>,
}

/// Parses the request. The client authenticates in one way only (RFC 6749 section 2.3).
pub(super) fn read(form: &Parameters, authorization: &Authorization) -> Result<Grant, NoToken> {
    let grant_type = form.get(GRANT_TYPE)?;
    let scope = form.get(SCOPE)?;
    let (id, secret) = (form.get(CLIENT_ID)?, form.get(CLIENT_SECRET)?);
    let (client, secret) = match authorization.0.as_slice() {
        [] => match (id, secret) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.to_owned()),
            _ => return Err(NoToken::Client),
        },
        [_] if secret.is_some() => {
            return Err(NoToken::Request(
                "the credentials are sent both with HTTP Basic and in the form; send them once",
            ));
        }
        [field] => {
            let (client, secret) = basic(field).ok_or(NoToken::Client)?;
            if id.is_some_and(|id| id != client) {
                return Err(NoToken::Request(
                    "HTTP Basic and `client_id` name different clients; send one of them",
                ));
            }
            (client, secret)
        }
        _ => {
            return Err(NoToken::Request(
                "`Authorization` is repeated; send it once",
            ));
        }
    };
    match grant_type {
        Some("client_credentials") => {}
        Some(_) => return Err(NoToken::GrantType),
        None => return Err(NoToken::Request("`grant_type` is missing")),
    }
    let words = |scope: &str| {
        scope
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Ok(Grant {
        client,
        secret: Secret::new(secret),
        scopes: scope.map(words),
    })
}

/// Parses the id and the secret of HTTP Basic, each percent-encoded (RFC 6749 section 2.3.1).
fn basic(field: &str) -> Option<(String, String)> {
    let (scheme, rest) = field.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text| text::segment(text).ok().map(Cow::into_owned);
    Some((plain(id)?, plain(secret)?))
}
