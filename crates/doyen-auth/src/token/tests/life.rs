//! Tokens over time: cached, expired, with other keys and with another name of the algorithm.

use super::*;
use crate::AlgorithmName;

#[test]
fn a_cached_token_is_refused_once_it_expires() {
    let (tokens, clock) = tokens();
    let token = tokens.issue(&caller()).unwrap().token;
    let first = tokens.verify(&token).unwrap();
    let second = tokens.verify(&token).unwrap();
    assert!(Arc::ptr_eq(&first, &second), "the second time is a lookup");
    clock.forward(899);
    assert!(tokens.verify(&token).is_ok());
    clock.forward(1);
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::Expired));
    clock.forward(-100);
    assert!(
        tokens.verify(&token).is_ok(),
        "a clock that was set back does not empty the cache"
    );
    clock.forward(-900);
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::NotYetValid));
}

#[test]
fn a_refused_token_is_not_cached() {
    let (tokens, clock) = tokens();
    let token = with_claims(json!({ "nbf": NOW + 10 }));
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::NotYetValid));
    clock.forward(10);
    assert!(tokens.verify(&token).is_ok());
}

/// T16: a change of keys.
#[test]
fn keys_change_without_an_outage_and_entries_of_dropped_keys_go() {
    let seed = Seed::generate().unwrap().deriver("signing");
    let next = || KeyRing::new(&seed).unwrap();
    let (tokens, _) = tokens();
    let old = tokens.issue(&caller()).unwrap().token;
    assert!(tokens.verify(&old).is_ok());

    tokens.rotate(next().also_trust(&ring().public_key()).unwrap());
    let new = tokens.issue(&caller()).unwrap().token;
    assert!(tokens.verify(&old).is_ok() && tokens.verify(&new).is_ok());
    assert_eq!(tokens.jwks()["keys"].as_array().unwrap().len(), 2);

    tokens.rotate(next());
    assert_eq!(
        tokens.verify(&old).err(),
        Some(Rejected::UnknownKey),
        "although it was cached"
    );
    assert!(tokens.verify(&new).is_ok());
}

/// A change of keys keeps the cache entries of the other keys, and a dropped key is refused at
/// once.
#[test]
fn only_the_cache_entries_of_a_dropped_key_go() {
    let seed = Seed::generate().unwrap().deriver("signing");
    let next = || KeyRing::new(&seed).unwrap();
    let (tokens, _) = tokens();
    let old = tokens.issue(&caller()).unwrap().token;
    let known = tokens.verify(&old).unwrap();
    tokens.rotate(next().also_trust(&ring().public_key()).unwrap());
    assert!(Arc::ptr_eq(&known, &tokens.verify(&old).unwrap()));
    let new = tokens.issue(&caller()).unwrap().token;
    let newer = tokens.verify(&new).unwrap();

    // The old token is verified while its key is dropped: the result must not stay in the cache.
    let before = tokens.live();
    tokens.rotate(next());
    before.cache.put(before.cache.key(&old), known);
    assert_eq!(tokens.verify(&old).err(), Some(Rejected::UnknownKey));
    assert!(Arc::ptr_eq(&newer, &tokens.verify(&new).unwrap()));

    // With another name of the algorithm every token is verified again.
    tokens.rotate(next().algorithm_name(AlgorithmName::EdDsa));
    assert!(!Arc::ptr_eq(&newer, &tokens.verify(&new).unwrap()));
}

/// T17: the name of the algorithm.
#[test]
fn the_algorithm_has_its_new_name_unless_configured() {
    let name = |token: &str| {
        let header = URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["alg"].clone()
    };
    let (new, _) = tokens();
    let (old, _) = with(ring().algorithm_name(AlgorithmName::EdDsa), options());
    let (new_token, old_token) = (
        new.issue(&caller()).unwrap().token,
        old.issue(&caller()).unwrap().token,
    );
    assert_eq!(name(&new_token), "Ed25519");
    assert_eq!(name(&old_token), "EdDSA");
    assert_eq!(new.verify(&old_token).err(), Some(Rejected::Algorithm));
    assert!(old.verify(&new_token).is_ok() && old.verify(&old_token).is_ok());
}

#[test]
fn a_token_that_could_not_be_verified_is_not_issued() {
    let (tokens, _) = tokens();
    for scope in ["a b", "", "a\"", "é", "a\\"] {
        let mut caller = caller();
        caller.scopes.push(scope.into());
        assert!(tokens.issue(&caller).is_err(), "{scope:?}");
    }
    let mut caller = caller();
    caller.roles = (0..2_000).map(|n| format!("role{n}").into()).collect();
    assert!(tokens.issue(&caller).is_err());
}
