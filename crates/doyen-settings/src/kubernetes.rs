//! Variables that Kubernetes sets in every container for each service of its namespace.
//!
//! A service called `app` or `app-web` sets variables with the prefix `APP_` that are no settings.

/// Returns true for a variable of a service: `APP_SERVICE_HOST`, `APP_WEB_SERVICE_PORT_HTTP`,
/// `APP_PORT=tcp://10.0.0.1:80`, `APP_PORT_80_TCP_ADDR`.
pub(crate) fn is_service_variable(name: &str, value: &str) -> bool {
    is_service_address(name, value)
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.match_indices("_PORT_").any(|(at, infix)| {
            let (number, rest) = split_digits(&name[at + infix.len()..]);
            !number.is_empty() && is_protocol(rest)
        })
}

/// Returns true for `APP_PORT=tcp://10.0.0.1:80`, which is never the value of a setting `port`.
pub(crate) fn is_service_address(name: &str, value: &str) -> bool {
    name.ends_with("_PORT")
        && ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// `_TCP`, or `_TCP_` with one of the parts of an address.
fn is_protocol(text: &str) -> bool {
    ["_TCP", "_UDP", "_SCTP"].iter().any(|protocol| {
        text.strip_prefix(protocol)
            .is_some_and(|rest| matches!(rest, "" | "_PROTO" | "_PORT" | "_ADDR"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_services_are_recognized() {
        for (name, value) in [
            ("APP_SERVICE_HOST", "10.0.0.1"),
            ("APP_SERVICE_PORT", "80"),
            ("APP_SERVICE_PORT_HTTP", "80"),
            ("APP_WEB_SERVICE_HOST", "10.0.0.1"),
            ("APP_PORT", "tcp://10.0.0.1:80"),
            ("APP_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("APP_PORT_80_TCP_PROTO", "tcp"),
            ("APP_WEB_PORT_53_UDP_ADDR", "10.0.0.1"),
        ] {
            assert!(is_service_variable(name, value), "{name}");
        }
        for (name, value) in [
            ("APP_PORT", "8000"),
            ("APP_SERVER_PORT", "8000"),
            ("APP_PORT_80", "x"),
            ("APP_PORT_HTTP", "80"),
            ("APP_SERVICE", "x"),
            ("APP_PORT_80_TCPX", "x"),
        ] {
            assert!(!is_service_variable(name, value), "{name}");
        }
    }
}
