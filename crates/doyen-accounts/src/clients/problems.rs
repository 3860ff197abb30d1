//! What can go wrong with machine clients, as the client is told.

use doyen_auth::INVALID_REQUEST;
use doyen_core::{Kind, Problem, ProblemInfo, Unexpected};

use crate::keys::Ungranted;

/// There is no such client, or it was revoked before.
#[derive(Debug, Problem)]
#[problem(not_found, code = "client_not_found")]
pub(crate) struct ClientNotFound;

/// Why no client was made.
#[derive(Debug, Problem)]
pub(crate) enum MakeClient {
    /// Scopes that are not one's own to give.
    #[problem(transparent)]
    Ungranted(Ungranted),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a client was not changed.
#[derive(Debug, Problem)]
pub(crate) enum ChangeClient {
    /// It is not there.
    #[problem(transparent)]
    Missing(ClientNotFound),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why no token was given, in the words of RFC 6749 section 5.2. The code is the `error` of that section; `error` and `error_description` stand
/// beside it, so that libraries find what they look for.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// A parameter is missing, comes twice or makes no sense.
    Request(&'static str),
    /// The client is unknown, or its secret is wrong.
    Client,
    /// Another grant type than the one there is.
    GrantType,
    /// A scope the client does not have.
    Scope,
    /// Something nobody planned for.
    Unexpected(Unexpected),
}

static CLIENT: ProblemInfo = ProblemInfo {
    code: "invalid_client",
    kind: Kind::Unauthenticated,
    title: "Invalid Client",
    description: "The client is unknown or revoked, or its secret is wrong. Send `client_id` and `client_secret` by HTTP Basic or in the form.",
};

static GRANT_TYPE: ProblemInfo = ProblemInfo {
    code: "unsupported_grant_type",
    kind: Kind::Malformed,
    title: "Unsupported Grant Type",
    description: "The only grant type here is `client_credentials`: users log in by themselves.",
};

static SCOPE: ProblemInfo = ProblemInfo {
    code: "invalid_scope",
    kind: Kind::Malformed,
    title: "Invalid Scope",
    description: "The client does not have a scope that it asks for. Ask for fewer, or for none to get all it has.",
};

impl From<Unexpected> for NoToken {
    fn from(cause: Unexpected) -> Self {
        Self::Unexpected(cause)
    }
}

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
        // RFC 6749 section 5.2 knows no quotes and no backslash in it, and no letters but those of ASCII.
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
