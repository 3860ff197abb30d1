//! T11: there is no HMAC key that could be weak; the seed takes its role. A seed that is not random
//! is refused at start.

use doyen::Overrides;
use doyen::auth::Seed;
use doyen::settings::{Environment, Loader};
use doyen_test::Subject as _;

use crate::support::{Api, encode};

async fn refusal(api: &Api, key: &str) -> String {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Prod)
        .set("database.url", api.0.database_url())
        .set("auth.signing_key", key);
    let error = match Box::pin(Api::app().start(loader, Overrides::default())).await {
        Ok(_) => panic!("it starts with {key}"),
        Err(error) => error,
    };
    let keys: Vec<_> = error
        .faults()
        .iter()
        .filter_map(|fault| fault.key())
        .collect();
    assert!(keys.contains(&"auth.signing_key"), "{error}");
    error.to_string()
}

#[doyen_test::test(sqlite)]
async fn t11_a_weak_seed_is_refused_by_the_name_of_its_setting(api: Api) {
    let mut drawn = [0_u8; 31];
    for (n, byte) in drawn.iter_mut().enumerate() {
        *byte = (n as u8).wrapping_mul(n as u8).wrapping_mul(37) ^ 0x5a;
    }
    for weak in [
        "secret".to_owned(),
        "correct-horse-battery-staple".to_owned(),
        "the-quick-brown-fox-jumps-over-the-lazy-dog".to_owned(),
        "CorrectHorseBatteryStapleCorrectHorseBatte0".to_owned(),
        "0123456789abcdef0123456789abcdef0123456789a".to_owned(),
        encode(drawn),
        encode([0; 32]),
        encode([0xff; 32]),
        encode(std::array::from_fn::<u8, 32, _>(|n| n as u8)),
        encode(b"changemechangemechangemechangeme"),
        encode(b"correct horse battery staple 123"),
        encode([1; 64]),
        format!("{}=", Seed::generate().unwrap().to_text().expose()),
    ] {
        let message = refusal(&api, &weak).await;
        assert!(message.contains("`auth.signing_key`"), "{message}");
        assert!(!message.contains(&weak), "{message}");
    }
}
