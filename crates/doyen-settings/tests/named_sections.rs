//! Sections whose names the settings give.

#![allow(missing_docs, reason = "a test")]

extern crate doyen_settings as doyen;

use std::collections::BTreeMap;

use doyen_settings::{Loader, Settings, reference};

/// A client.
#[derive(Debug, Clone, Settings)]
struct Client {
    /// Number of workers.
    #[setting(default = 4, min = 1, max = 64)]
    workers: u16,
    /// The relay.
    #[setting(section)]
    relay: Option<Relay>,
}

/// A relay.
#[derive(Debug, Clone, Settings)]
struct Relay {
    /// Its address.
    url: String,
}

/// Settings with a section for each name.
#[derive(Debug, Settings)]
struct Named {
    #[setting(section)]
    clients: BTreeMap<String, Client>,
}

#[test]
fn a_section_has_a_name_of_the_settings() {
    let loaded = Loader::new("APP")
        .env([
            ("APP_CLIENTS__PAYMENTS__WORKERS", "8"),
            ("APP_CLIENTS__GEO_DATA__RELAY__URL", "smtp://geo"),
        ])
        .set("clients.search.workers", "2")
        .load::<Named>()
        .unwrap();
    let clients = &loaded.value.clients;
    assert_eq!(
        clients.keys().collect::<Vec<_>>(),
        ["geo_data", "payments", "search"]
    );
    assert_eq!(clients["payments"].workers, 8);
    assert_eq!(clients["geo_data"].workers, 4);
    let relay = clients["geo_data"].relay.as_ref();
    assert_eq!(relay.map(|relay| relay.url.as_str()), Some("smtp://geo"));
    let row = loaded
        .report
        .iter()
        .find(|row| row.key == "clients.payments.workers");
    assert_eq!(row.map(|row| row.value.as_str()), Some("8"));
    assert!(
        Loader::new("APP")
            .load::<Named>()
            .unwrap()
            .value
            .clients
            .is_empty()
    );
    assert!(reference::<Named>("APP").contains(
        "| `clients.<name>.workers` | `APP_CLIENTS__<NAME>__WORKERS` | whole number from 1 to 64 | `4` |"
    ));
}

#[test]
fn mistakes_in_a_named_section_are_named() {
    let result = Loader::new("APP")
        .env([("APP_CLIENTS__PAYMENTS__WORKRES", "8")])
        .set("clients.search.workers", "0")
        .set("clients.search.spam", "1")
        .set("clients.Pay-Pal.workers", "1")
        .load::<Named>();
    let text = result.unwrap_err().to_string();
    for part in [
        "APP_CLIENTS__PAYMENTS__WORKRES: did you mean APP_CLIENTS__PAYMENTS__WORKERS?",
        "`clients.search.workers` from code is `0`: it must be from 1 to 64",
        "unknown setting `clients.search.spam`",
        "unknown setting `clients.Pay-Pal.workers`",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
