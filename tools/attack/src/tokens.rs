//! A1, A2, A4: forged and revoked access tokens.

use std::time::{Duration, Instant};

use toolkit::process::pause;

use crate::Attack;
use crate::accounts::Account;
use crate::forge::{Parts, confused, forged};
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 3] = [
    Attack {
        id: "A1",
        run: forgeries,
    },
    Attack {
        id: "A2",
        run: confusion,
    },
    Attack {
        id: "A4",
        run: after_logout,
    },
];

/// Maximum time until a revoked token is rejected.
const SOON: Duration = Duration::from_secs(5);

fn forgeries(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let Some(parts) = Parts::of(&ada.token) else {
        return Verdict::not_applicable("the access token is no JWT");
    };
    let forged = forged(&ada.token, &parts);
    let mut tally = Tally::new(format!(
        "{} forged tokens, 8 ways not to send one, the real one at the end",
        forged.len()
    ));
    for (what, token) in &forged {
        let response = target.get("/v1/me").bearer(token).send();
        // An invalid header is rejected before the token is read.
        let refused = response.status == 401
            && response
                .header("www-authenticate")
                .is_some_and(|how| how.starts_with("Bearer"));
        tally.expect(
            refused || (token.contains('\0') && response.status == 400),
            what,
            &response,
        );
    }
    let token = &ada.token;
    tally.expect_status(&[401], "no credentials", &target.get("/v1/me").send());
    tally.expect_status(
        &[401],
        "in the URL",
        &target.get(&format!("/v1/me?access_token={token}")).send(),
    );
    tally.expect_status(
        &[401],
        "as Basic",
        &target
            .get("/v1/me")
            .header("authorization", &format!("Basic {token}"))
            .send(),
    );
    tally.expect_status(
        &[401],
        "without a scheme",
        &target.get("/v1/me").header("authorization", token).send(),
    );
    tally.expect_status(
        &[400, 401],
        "in two fields",
        &target.get("/v1/me").bearer("x.y.z").bearer(token).send(),
    );
    tally.expect_status(
        &[400, 401],
        "two in one",
        &target
            .get("/v1/me")
            .bearer(&format!("x.y.z, Bearer {token}"))
            .send(),
    );
    tally.expect_status(
        &[401],
        "as a cookie",
        &target
            .get("/v1/me")
            .header("cookie", &format!("access_token={token}"))
            .send(),
    );
    tally.expect_status(
        &[401],
        "as an API key",
        &target.get("/v1/me").header("x-api-key", token).send(),
    );
    tally.expect_status(
        &[200],
        "the real one",
        &target.get("/v1/me").bearer(token).send(),
    );
    tally.verdict()
}

fn confusion(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let Some(keys) = &target.keys else {
        return Verdict::not_applicable("no key set at /.well-known/jwks.json");
    };
    let Some(parts) = Parts::of(&ada.token) else {
        return Verdict::not_applicable("the access token is no JWT");
    };
    let confused = confused(&parts, keys);
    let mut tally = Tally::new(format!(
        "{} tokens signed with what the key set shows",
        confused.len()
    ));
    for (what, token) in &confused {
        tally.expect_status(&[401], what, &target.get("/v1/me").bearer(token).send());
    }
    let secret = ["d", "k", "p", "q"].iter().any(|member| {
        keys["keys"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|key| !key[member].is_null())
    });
    tally.check(!secret, "the key set shows a private key");
    tally.check(!confused.is_empty(), "the key set is empty");
    tally.verdict()
}

fn after_logout(target: &Target) -> Verdict {
    if !target.offers("POST", "/v1/auth/logout") {
        return Verdict::not_applicable("there is no logout: a token lives until it expires");
    }
    let Some(thief) = Account::register(target, "gone") else {
        return Verdict::not_applicable(
            "registration is closed, and the sessions of other users are not ended here",
        );
    };
    let mut tally = Tally::new("a token, a logout, the token again until it is dead");
    tally.expect_status(&[200], "before", &thief.get(target, "/v1/me"));
    let response = thief.request(target, "POST", "/v1/auth/logout").send();
    tally.expect(response.is_success(), "logout", &response);
    let since = Instant::now();
    loop {
        let response = thief.get(target, "/v1/me");
        if response.status == 401 || since.elapsed() > SOON {
            tally.expect_status(&[401], "5 s after the logout", &response);
            break;
        }
        pause();
    }
    if !thief.refresh.is_empty() {
        let again = serde_json::json!({"refresh_token": thief.refresh});
        tally.expect_status(
            &[400, 401],
            "refresh after the logout",
            &target.post("/v1/auth/refresh", &again).send(),
        );
    }
    tally.verdict()
}
