//! The cache policy of a route: which caches can keep its responses, and for how long.

use std::time::Duration;

use doyen_core::cache::{Cache, CachePolicy};
use http::{HeaderName, HeaderValue};

/// A cache policy, for `cache = private(secs(30))`.
///
/// | value | `Cache-Control` of successful responses |
/// | --- | --- |
/// | [`none`] | `no-store` |
/// | [`private`]`(secs(30))` | `private, max-age=30`; `private, no-cache` for 0 seconds |
/// | [`public`]`(secs(30))` | `public, max-age=30`; that of [`private`] for authenticated callers |
///
/// With [`stored`](Self::stored) the server keeps responses too and answers from them without the
/// handler. A `Cache-Control` that the handler sets itself takes precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheRule {
    audience: Audience,
    max_age: Duration,
    stored: Option<Duration>,
    stale: Duration,
    for_callers: bool,
    tags: Vec<&'static str>,
    vary: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    None,
    Private,
    Public,
}

/// The response must not be kept. A function, and not a constant, so that `let none = ..` still
/// declares a variable where the prelude is imported: `cache = none`.
pub const fn none() -> CacheRule {
    CacheRule::new(Audience::None, Duration::ZERO)
}

/// A value of the route policy `cache`: a rule, or a function that returns one, such as [`none`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache policy",
    label = "states no audience",
    note = "write which caches may keep the response: `cache = private(secs(30))` for that of the client, `cache = public(secs(30))` for shared ones too, or `cache = none`"
)]
pub trait IntoCacheRule {
    /// Returns the rule.
    fn into_rule(self) -> CacheRule;
}

impl IntoCacheRule for CacheRule {
    fn into_rule(self) -> CacheRule {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fn() -> CacheRule> IntoCacheRule for F {
    fn into_rule(self) -> CacheRule {
        self()
    }
}

/// The client may keep the response for this time; caches that several callers share may not.
///
/// With 0 seconds the client asks each time whether the response has changed, and gets a 304 if
/// not.
pub const fn private(max_age: Duration) -> CacheRule {
    CacheRule::new(Audience::Private, max_age)
}

/// Shared caches may keep the response for this time, for all clients. The route must be open to
/// `anyone`.
///
/// Responses to authenticated callers are private, unless the route says that they are the same
/// ([`for_callers`](CacheRule::for_callers)).
pub const fn public(max_age: Duration) -> CacheRule {
    CacheRule::new(Audience::Public, max_age)
}

impl CacheRule {
    const fn new(audience: Audience, max_age: Duration) -> Self {
        Self {
            audience,
            max_age,
            stored: None,
            stale: Duration::ZERO,
            for_callers: false,
            tags: Vec::new(),
            vary: Vec::new(),
        }
    }

    /// Keeps responses on the server for this time: one for all callers of a [`public`] route, one
    /// for each caller of a [`private`] route. The plugin `cache` stores them. Only complete
    /// responses with the status 200 and without `Set-Cookie` or `no-store` are kept.
    ///
    /// A stored response is sent without the handler and its extractors. Checks belong into
    /// `allow`, guards and layers, which always run.
    #[must_use]
    pub const fn stored(mut self, ttl: Duration) -> Self {
        self.stored = Some(ttl);
        self
    }

    /// Uses stored responses for this time after they expire, while one request makes a new one, or
    /// if that fails.
    #[must_use]
    pub const fn stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// Adds the stored responses to a group that is invalidated together:
    /// `cache.invalidate("orders").after(&session)`. `{name}` stands for a path parameter.
    #[must_use]
    pub fn tag(mut self, tag: &'static str) -> Self {
        self.tags.push(tag);
        self
    }

    /// States that the response depends on this request header: it becomes part of `Vary` and of
    /// the name of the stored response.
    #[must_use]
    pub fn vary(mut self, header: &'static str) -> Self {
        self.vary.push(header);
        self
    }

    /// States that authenticated callers get the same response as all others, so that it is public
    /// for them too.
    #[must_use]
    pub const fn for_callers(mut self) -> Self {
        self.for_callers = true;
        self
    }

    pub(crate) const fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Returns the mistakes of the rule on a route.
    pub(crate) fn mistakes(&self, method: &str, is_open: bool, has_store: bool) -> Vec<String> {
        let mut all = Vec::new();
        let mut wrong = |is: bool, what: &str| {
            if is {
                all.push(format!("`cache`: {what}"));
            }
        };
        let is_public = self.audience == Audience::Public;
        wrong(
            method != "GET",
            "only responses to GET are cached. Remove it",
        );
        wrong(
            is_public && !is_open,
            "a public response can be read by anyone, and the route is not open to anyone. Use `private(..)`",
        );
        wrong(
            self.for_callers && !is_public,
            "`for_callers` needs `public(..)`",
        );
        wrong(
            self.stored.is_some() && self.audience == Audience::None,
            "`none` cannot be stored. Use `private(..)` or `public(..)`",
        );
        wrong(
            self.stored.is_some() && !has_store,
            "`stored` needs the plugin `cache`. Add the feature `cache` of `doyen`",
        );
        wrong(
            self.stored.is_none() && (!self.tags.is_empty() || !self.stale.is_zero()),
            "`tag` and `stale` are about stored responses. Add `.stored(..)`",
        );
        let is_header = |name: &&str| HeaderName::try_from(*name).is_ok();
        wrong(
            !self.vary.iter().all(is_header),
            "`vary` takes the name of a request header",
        );
        all
    }
}

/// The rule of a mounted route.
pub(crate) struct RouteCache {
    private: HeaderValue,
    /// For anonymous requests, or all if the rule says so.
    public: Option<HeaderValue>,
    for_callers: bool,
    pub(crate) vary: Vec<HeaderName>,
    pub(crate) stored: Option<StoredResponses>,
}

/// Where and how responses are stored.
pub(crate) struct StoredResponses {
    pub(crate) cache: Cache,
    pub(crate) policy: CachePolicy,
    pub(crate) tags: Vec<&'static str>,
}

impl RouteCache {
    pub(crate) fn new(rule: &CacheRule, cache: Option<&Cache>) -> Self {
        let is_public = rule.audience == Audience::Public;
        let stored = rule.stored.zip(cache).map(|(ttl, cache)| StoredResponses {
            cache: cache.clone(),
            policy: CachePolicy::new("response", ttl).stale(rule.stale),
            tags: rule.tags.clone(),
        });
        Self {
            private: match rule.audience {
                Audience::None => HeaderValue::from_static("no-store"),
                _ => control("private", rule.max_age),
            },
            public: is_public.then(|| control("public", rule.max_age)),
            for_callers: rule.for_callers,
            vary: rule
                .vary
                .iter()
                .filter_map(|name| HeaderName::try_from(*name).ok())
                .collect(),
            stored,
        }
    }

    /// True if the response to this request may be shared.
    pub(crate) fn is_shared(&self, is_identified: bool) -> bool {
        self.public.is_some() && (self.for_callers || !is_identified)
    }

    /// True if a response to an authenticated caller may not be kept where a public one is.
    pub(crate) fn is_public(&self) -> bool {
        self.public.is_some()
    }

    /// Returns the value of `Cache-Control`.
    pub(crate) fn control(&self, is_identified: bool) -> &HeaderValue {
        let public = self.public.as_ref();
        let shared = public.filter(|_| self.is_shared(is_identified));
        shared.unwrap_or(&self.private)
    }
}

fn control(audience: &str, max_age: Duration) -> HeaderValue {
    let text = match max_age.as_secs() {
        0 => format!("{audience}, no-cache"),
        seconds => format!("{audience}, max-age={seconds}"),
    };
    // The text is ASCII.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("no-store"))
}
