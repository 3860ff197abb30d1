//! The problems of the routes for machine clients.

use doyen_app::INVALID_REQUEST;
use doyen_core::{Kind, Problem, ProblemInfo, Unexpected};

use crate::keys::Ungranted;

/// The client does not exist or was revoked. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "client_not_found")]
pub(crate) struct ClientNotFound;

/// Errors when a client is created.
#[derive(Debug, Problem)]
pub(crate) enum MakeClient {
    /// A scope that the caller does not have.
    #[problem(transparent)]
    Ungranted(Ungranted),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when a client is changed.
#[derive(Debug, Problem)]
pub(crate) enum ChangeClient {
    /// The client does not exist.
    #[problem(transparent)]
    Missing(ClientNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors of the token endpoint, as in RFC 6749 section 5.2. The code is the `error` of that
/// section. The body also contains `error` and `error_description`, which libraries read.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// A parameter is missing, repeated or invalid.
    Request(&'static str),
    /// The client is unknown, or its secret is wrong.
    Client,
    /// The grant type is not supported.
    GrantType,
    /// The client does not have a requested scope.
    Scope,
    /// An unexpected error.
    Unexpected(Unexpected),
}

static CLIENT: ProblemInfo = ProblemInfo {
    code: "invalid_client",
    kind: Kind::Unauthenticated,
    title: "Invalid Client",
    description: "The client is unknown or revoked, or its secret is wrong. Send `client_id` and `client_secret` with HTTP Basic or in the form.",
};

static GRANT_TYPE: ProblemInfo = ProblemInfo {
    code: "unsupported_grant_type",
    kind: Kind::Malformed,
    title: "Unsupported Grant Type",
    description: "The grant type is not supported. Use `client_credentials`.",
};

static SCOPE: ProblemInfo = ProblemInfo {
    code: "invalid_scope",
    kind: Kind::Malformed,
    title: "Invalid Scope",
    description: "The client does not have a requested scope. Request fewer scopes, or omit `scope` to get all scopes of the client.",
};

impl From<Unexpected> for NoToken {
    fn from(cause: Unexpected) -> Self {
        Self::Unexpected(cause)
    }
}

#[diagnostic::do_not_recommend]
impl Problem for NoToken {
    fn info(&self) -> &'static ProblemInfo {
        match self {
            NoToken::Request(_) => &INVALID_REQUEST,
            NoToken::Client => &CLIENT,
            NoToken::GrantType => &GRANT_TYPE,
            NoToken::Scope => &SCOPE,
            NoToken::Unexpected(cause) => cause.info(),
        }
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        let mut all = vec![&INVALID_REQUEST, &CLIENT, &GRANT_TYPE, &SCOPE];
        all.extend(Unexpected::catalogue());
        all
    }

    fn detail(&self) -> Option<String> {
        match self {
            NoToken::Request(why) => Some((*why).to_owned()),
            NoToken::Unexpected(cause) => cause.detail(),
            _ => None,
        }
    }

    fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        if matches!(self, NoToken::Unexpected(_)) {
            return Vec::new();
        }
        let description = self
            .detail()
            .unwrap_or_else(|| self.info().description.to_owned());
        // RFC 6749 section 5.2 allows only ASCII without quotes and backslashes.
        let description = description.replace(['"', '\\'], "'");
        vec![
            ("error", self.info().code.into()),
            ("error_description", description.into()),
        ]
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            NoToken::Unexpected(cause) => cause.retry_after(),
            _ => None,
        }
    }

    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NoToken::Unexpected(cause) => cause.cause(),
            _ => None,
        }
    }
}
