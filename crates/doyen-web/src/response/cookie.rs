//! Cookies that a response sets.

use std::marker::PhantomData;
use std::time::Duration;

use doyen_core::{Refusal, Unexpected};
use doyen_schema::Schema;
use doyen_schema::contract::{Contract, HeaderInfo};
use http::{HeaderValue, header};

use super::IntoResponse;
use crate::Response;
use crate::request::Parts;

/// A cookie as a type: its name, and the attributes with which it is set.
///
/// The defaults are those of a cookie that only the server reads: `HttpOnly`, `Secure`,
/// `SameSite=Lax`, `Path=/`, until the browser is closed.
///
/// ```
/// use std::time::Duration;
/// use doyen_web::response::CookieSpec;
///
/// /// The theme that the user chose.
/// struct Theme;
///
/// impl CookieSpec for Theme {
///     const NAME: &'static str = "theme";
///     const MAX_AGE: Option<Duration> = Some(Duration::from_secs(30 * 86_400));
///     const HTTP_ONLY: bool = false;
/// }
/// ```
pub trait CookieSpec: Send + 'static {
    /// Name.
    const NAME: &'static str;
    /// Description in the document.
    const DESCRIPTION: &'static str = "";
    /// Lifetime. Without one the browser drops the cookie when it is closed.
    const MAX_AGE: Option<Duration> = None;
    /// Paths that the cookie is sent to.
    const PATH: &'static str = "/";
    /// True if scripts of the page cannot read it.
    const HTTP_ONLY: bool = true;
    /// True if it is sent over HTTPS alone. Browsers treat `localhost` as HTTPS.
    const SECURE: bool = true;
    /// Requests of other sites that the cookie is sent with.
    const SAME_SITE: SameSite = SameSite::Lax;
}

/// Requests of other sites that a cookie is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Links and forms with GET that open a page.
    Lax,
    /// All. Only for secure cookies.
    None,
}

/// A value for the cookie `C`, set by [`IntoResponse::with_cookie`].
#[derive(Clone, Debug)]
pub struct SetCookie<C> {
    /// `None` removes the cookie.
    value: Option<String>,
    spec: PhantomData<fn() -> C>,
}

impl<C: CookieSpec> SetCookie<C> {
    /// Sets the cookie. A cookie has visible ASCII characters without quotes, commas, semicolons
    /// and backslashes; a value with others is an internal error. Encode such a value, for example
    /// with `CookieKeys::sign`.
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: Some(value.into()),
            spec: PhantomData,
        }
    }

    /// Removes the cookie from the browser.
    pub const fn removed() -> Self {
        Self {
            value: None,
            spec: PhantomData,
        }
    }

    /// Returns the value of `Set-Cookie`.
    fn header(&self) -> Result<HeaderValue, Unexpected> {
        use std::fmt::Write as _;
        let value = self.value.as_deref().unwrap_or_default();
        if !value.bytes().all(is_cookie_octet) {
            let name = C::NAME;
            return Err(Unexpected::new(format!(
                "a cookie cannot hold the value for `{name}`"
            )));
        }
        let mut text = format!("{}={value}; Path={}", C::NAME, C::PATH);
        let age = match &self.value {
            Some(_) => C::MAX_AGE.map(|age| age.as_secs()),
            None => Some(0),
        };
        if let Some(age) = age {
            // Writing to a string cannot fail.
            let _ = write!(text, "; Max-Age={age}");
        }
        if C::HTTP_ONLY {
            text.push_str("; HttpOnly");
        }
        // Browsers refuse `SameSite=None` without it.
        if C::SECURE || C::SAME_SITE == SameSite::None {
            text.push_str("; Secure");
        }
        text.push_str(match C::SAME_SITE {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        HeaderValue::try_from(text).map_err(Unexpected::from)
    }
}

/// RFC 6265 section 4.1.1.
const fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// A response that sets a cookie, created by [`IntoResponse::with_cookie`].
#[derive(Clone, Debug)]
pub struct WithCookie<T, C> {
    response: T,
    cookie: SetCookie<C>,
}

impl<T, C> WithCookie<T, C> {
    pub(super) const fn new(response: T, cookie: SetCookie<C>) -> Self {
        Self { response, cookie }
    }
}

impl<T: IntoResponse, C: CookieSpec> IntoResponse for WithCookie<T, C> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = self.response.into_response(parts)?;
        let cookie = self.cookie.header()?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let before = contract.operation.answers.len();
        T::describe(contract);
        let mut text = format!("Sets the cookie `{}`.", C::NAME);
        if !C::DESCRIPTION.is_empty() {
            text = format!("{text} {}", C::DESCRIPTION);
        }
        for answer in &mut contract.operation.answers[before..] {
            let known = answer
                .headers
                .iter_mut()
                .find(|one| one.name == "Set-Cookie");
            match known {
                // One header of the document stands for all cookies.
                Some(known) => known.description = format!("{} {text}", known.description).into(),
                None => answer.headers.push(HeaderInfo {
                    name: "Set-Cookie".into(),
                    description: text.clone().into(),
                    optional: false,
                    schema: Schema::of("string"),
                }),
            }
        }
    }
}
