//! Tokens over time: remembered, expired, signed with other keys and under another name.

use super::*;
use crate::AlgorithmName;

#[test]
fn a_remembered_token_is_refused_once_it_expires() {
    let (tokens, clock) = tokens();
    let token = tokens.issue(&caller()).unwrap().token;
    let first = tokens.verify(&token).unwrap();
    let second = tokens.verify(&token).unwrap();
    assert!(Arc::ptr_eq(&first, &second), "the second time is a look-up");
    clock.forward(899);
    assert!(tokens.verify(&token).is_ok());
    clock.forward(1);
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::Expired));
    clock.forward(-100);
    assert!(
        tokens.verify(&token).is_ok(),
        "a clock that was set back does not make us forget"
    );
    clock.forward(-900);
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::NotYetValid));
}

#[test]
fn a_refused_token_is_not_remembered() {
    let (tokens, clock) = tokens();
    let token = with_claims(json!({ "nbf": NOW + 10 }));
    assert_eq!(tokens.verify(&token).err(), Some(Rejected::NotYetValid));
    clock.forward(10);
    assert!(tokens.verify(&token).is_ok());
}

/// T16: a change of keys.
#[test]
fn keys_change_without_an_outage_and_dropped_keys_are_forgotten() {
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
        "although it was remembered"
    );
    assert!(tokens.verify(&new).is_ok());
}

/// A change of keys is no reason to check everything again, and no moment in which a dropped key
/// still counts.
#[test]
fn what_was_verified_is_forgotten_with_its_key_alone() {
    let seed = Seed::generate().unwrap().deriver("signing");
    let next = || KeyRing::new(&seed).unwrap();
    let (tokens, _) = tokens();
    let old = tokens.issue(&caller()).unwrap().token;
    let known = tokens.verify(&old).unwrap();
    tokens.rotate(next().also_trust(&ring().public_key()).unwrap());
    assert!(Arc::ptr_eq(&known, &tokens.verify(&old).unwrap()));
    let new = tokens.issue(&caller()).unwrap().token;
    let newer = tokens.verify(&new).unwrap();

    // Somebody verifies the old token while its key is dropped: what they remember is remembered by
    // nobody.
    let before = tokens.live();
    tokens.rotate(next());
    before.cache.put(before.cache.key(&old), known);
    assert_eq!(tokens.verify(&old).err(), Some(Rejected::UnknownKey));
    assert!(Arc::ptr_eq(&newer, &tokens.verify(&new).unwrap()));

    // Under another name of the algorithm everything is checked again.
    tokens.rotate(next().algorithm_name(AlgorithmName::EdDsa));
    assert!(!Arc::ptr_eq(&newer, &tokens.verify(&new).unwrap()));
}

/// T17: the name of the algorithm.
#[test]
fn the_algorithm_has_its_new_name_unless_the_old_one_is_asked_for() {
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
fn what_could_not_be_read_back_is_not_issued() {
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
