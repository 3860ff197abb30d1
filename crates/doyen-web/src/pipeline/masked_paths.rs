//! The logged path of a request that matches no route.
//!
//! A typing error in a link such as `/reset/{token}` must not bring the token into the log: the
//! path is logged up to where the first parameter of a route with `mask_path` begins.

use std::borrow::Cow;

/// The beginnings of the paths of the routes with `mask_path`, up to their first parameter.
#[derive(Default)]
pub(crate) struct MaskedPaths(Vec<String>);

impl MaskedPaths {
    /// Adds the template of a path.
    pub(crate) fn add(&mut self, template: &str) {
        let prefix = template.split('{').next().unwrap_or_default();
        self.0.push(prefix.to_owned());
    }

    /// Returns the path without what follows such a beginning. Percent-encoding and the case of
    /// letters do not hide the beginning.
    pub(super) fn without_secrets<'p>(&self, path: &'p str) -> Cow<'p, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(path);
        }
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let decoded = decoded.trim_start_matches('/').to_lowercase();
        let masked = self
            .0
            .iter()
            .find(|prefix| decoded.starts_with(&prefix.trim_start_matches('/').to_lowercase()));
        masked.map_or(Cow::Borrowed(path), |prefix| {
            Cow::Owned(format!("{prefix}***"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MaskedPaths;

    #[test]
    fn a_path_near_a_masked_route_is_cut() {
        let mut paths = MaskedPaths::default();
        paths.add("/v1/resets/{token}/confirm");
        for path in [
            "/v1/resets/s3cret",
            "/v1/resets/s3cret/",
            "/v1/resets/s3cret/confirm/now",
            "//v1/resets/s3cret",
            "/V1/Resets/s3cret",
            "/v1/%72esets/s3cret",
        ] {
            assert_eq!(paths.without_secrets(path), "/v1/resets/***", "{path}");
        }
        for path in ["/v1/reset", "/v1/tickets/1", "/"] {
            assert_eq!(paths.without_secrets(path), path);
        }
        assert_eq!(MaskedPaths::default().without_secrets("/a/b"), "/a/b");
    }
}
