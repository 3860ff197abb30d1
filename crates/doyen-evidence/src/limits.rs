//! The limits of findings.

use std::time::Duration;

use crate::EvidenceSettings;
use crate::finding::Code;

/// When a request has a finding.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) repeated_statements: u32,
    pub(crate) blocking: Duration,
    pub(crate) idle_transaction: Duration,
    pub(crate) long_transaction: Duration,
    pub(crate) list_rows: usize,
    pub(crate) response_bytes: u64,
    pub(crate) concurrent_loads: u32,
    /// True if the rate limits are switched off because a gateway enforces them.
    pub(crate) is_limited_elsewhere: bool,
    allowed: Vec<Allowed>,
}

/// An expected finding: of all routes, or of one.
#[derive(Clone, Debug)]
struct Allowed {
    code: Code,
    route: Option<(String, String)>,
}

impl Limits {
    /// Reads the limits.
    ///
    /// # Errors
    ///
    /// Returns what is wrong in the list of expected findings.
    pub(crate) fn new(settings: &EvidenceSettings) -> Result<Self, String> {
        let allowed = settings.allow.iter().map(|text| Allowed::parse(text));
        Ok(Self {
            repeated_statements: settings.repeated_statements,
            blocking: settings.blocking,
            idle_transaction: settings.idle_transaction,
            long_transaction: settings.long_transaction,
            list_rows: settings.list_rows as usize,
            response_bytes: settings.response_size.bytes(),
            concurrent_loads: settings.concurrent_loads,
            is_limited_elsewhere: false,
            allowed: allowed.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn allows(&self, code: Code, method: &str, route: Option<&str>) -> bool {
        self.allowed.iter().any(|allowed| {
            allowed.code == code
                && allowed.route.as_ref().is_none_or(|(verb, template)| {
                    verb == method && Some(template.as_str()) == route
                })
        })
    }
}

impl Allowed {
    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (code, route) = match words[..] {
            [code] => (code, None),
            [code, method, template] => (code, Some((method.to_owned(), template.to_owned()))),
            _ => {
                return Err(format!(
                    "`{text}` must be a code, or a code, a method and a route such as `repeated_statement GET /reports/{{year}}`"
                ));
            }
        };
        let known = Code::ALL.into_iter().find(|known| known.as_str() == code);
        let code = known.ok_or_else(|| {
            let codes = Code::ALL.map(Code::as_str).join(", ");
            format!("there is no code `{code}`; the codes are {codes}")
        })?;
        Ok(Self { code, route })
    }
}
