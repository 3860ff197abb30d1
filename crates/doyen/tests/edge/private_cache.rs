//! A private cache that several callers share must not return the response of another caller.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use doyen::domain::{
    CredentialHeader, Identify, ProblemInfo, Refusal, RequestCredentials, problem::Plain,
};
use doyen::prelude::*;
use doyen::web::{Body, Cors, EdgeOptions, Origin, Service};
use http::{Request, Response};

use crate::kit::{Answer, finish, get, get_with, send};

static BAD: ProblemInfo = ProblemInfo {
    code: "invalid_token",
    kind: Kind::Unauthenticated,
    title: "Unauthorized",
    description: "The token is not valid.",
};

/// `<subject> [scope..] [role=name..]` in `Authorization`, in `X-API-Key`, or in a cookie `who`.
struct EveryWay;

fn caller(text: &str) -> Result<Option<Arc<Caller>>, Refusal> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let subject = words.next().unwrap_or_default();
    if subject == "bad" {
        return Err(Plain::new(&BAD).into());
    }
    let mut caller = Caller::new(subject);
    for word in words {
        match word.strip_prefix("role=") {
            Some(role) => caller.roles.push(role.into()),
            None => caller.scopes.push(word.into()),
        }
    }
    Ok(Some(Arc::new(caller)))
}

#[async_trait]
impl Identify for EveryWay {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let token = credentials
            .authorization
            .and_then(|field| field.strip_prefix("Bearer "));
        let cookie = credentials
            .cookie
            .and_then(|field| field.strip_prefix("who="));
        match token.or(credentials.api_key).or(cookie) {
            Some(text) => caller(text),
            None => Ok(None),
        }
    }
}

/// A profile that differs for each caller under the same tag.
#[derive(Output)]
#[output(etag = version)]
struct Profile {
    subject: String,
    #[output(skip)]
    version: i64,
}

#[get("/me", allow = signed_in)]
async fn me(caller: Caller) -> Json<Profile> {
    Json(Profile {
        subject: caller.subject.to_string(),
        version: 7,
    })
}

#[derive(Debug, Problem)]
enum Edit {
    /// Another version was seen. Read it again.
    #[problem(precondition_failed, code = "precondition_failed")]
    Stale,
}

/// Changes version 7 to 8.
#[patch("/me", allow = signed_in)]
async fn edit(caller: Caller, seen: IfMatch) -> Result<Json<Profile>, Edit> {
    if !seen.fits(7) {
        return Err(Edit::Stale);
    }
    // The condition of an update that compares one version.
    assert!(seen.version().is_none_or(|version| version == 7));
    Ok(Json(Profile {
        subject: caller.subject.to_string(),
        version: 8,
    }))
}

#[get("/untagged", allow = signed_in)]
async fn untagged(caller: Caller) -> Text {
    Text(caller.subject.to_string())
}

#[get("/open", allow = anyone)]
async fn open(caller: Option<Caller>) -> Json<Profile> {
    Json(Profile {
        subject: caller.map_or_else(String::new, |caller| caller.subject.to_string()),
        version: 7,
    })
}

#[patch("/open", allow = anyone)]
async fn edit_open(seen: IfMatch) -> Result<NoContent, Edit> {
    seen.fits(7).then_some(NoContent).ok_or(Edit::Stale)
}

#[derive(Debug, Problem)]
enum Find {
    /// There is no such thing. Look elsewhere.
    #[problem(not_found, code = "no_such_thing")]
    Missing,
}

#[get("/missing", allow = signed_in)]
async fn missing() -> Result<NoContent, Find> {
    Err(Find::Missing)
}

#[get("/staff", allow = signed_in.role(Post::Clerk))]
async fn staff() -> NoContent {
    NoContent
}

#[derive(Clone, Copy, doyen::domain::Role)]
enum Post {
    Clerk,
}

fn made(fields: &[(&str, &str)]) -> Response<Body> {
    let mut response = Response::builder();
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(Body::whole("x")).unwrap()
}

#[get("/public", allow = anyone)]
async fn public() -> Response<Body> {
    made(&[("cache-control", "max-age=60, Public"), ("etag", "\"a\"")])
}

#[get("/publicity", allow = anyone)]
async fn publicity() -> Response<Body> {
    made(&[("cache-control", "no-cache, x=\"public\", publicity")])
}

#[get("/members-public", allow = signed_in)]
async fn members_public() -> Response<Body> {
    made(&[("cache-control", "public")])
}

#[get("/varies", allow = anyone)]
async fn varies() -> Response<Body> {
    made(&[("vary", "Accept, cookie"), ("vary", "X-Api-Key")])
}

#[get("/varies-by-all", allow = anyone)]
async fn varies_by_all() -> Response<Body> {
    made(&[("vary", "*")])
}

#[get("/weak", allow = signed_in)]
async fn weak() -> Response<Body> {
    made(&[("etag", "W/\"a.b,c\"")])
}

#[get("/no-tag", allow = signed_in)]
async fn no_tag() -> Response<Body> {
    made(&[("etag", "a")])
}

fn routes() -> Routes {
    routes![
        me,
        edit,
        untagged,
        open,
        edit_open,
        missing,
        staff,
        public,
        publicity,
        members_public,
        varies,
        varies_by_all,
        weak,
        no_tag
    ]
}

fn shop() -> Service {
    finish(
        Service::builder()
            .identify(Arc::new(EveryWay))
            .module(Module::new("t").routes(routes())),
    )
}

fn bearer(who: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {who}"))
}

fn key(who: &str) -> (&'static str, String) {
    ("x-api-key", who.to_owned())
}

fn cookie(who: &str) -> (&'static str, String) {
    ("cookie", format!("who={who}"))
}

async fn ask(path: &str, who: &(&'static str, String), more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![(who.0, who.1.as_str())];
    fields.extend_from_slice(more);
    get_with(&shop(), path, &fields).await
}

async fn change(path: &str, who: Option<&(&'static str, String)>, tag: &str) -> Answer {
    let mut request = Request::patch(path).header("if-match", tag);
    if let Some((name, value)) = who {
        request = request.header(*name, value);
    }
    send(&shop(), request.body(Body::empty()).unwrap()).await
}

impl Answer {
    fn tag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    /// The names in `Vary`; each must be there once.
    #[track_caller]
    fn varied(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for field in self.headers.get_all("vary") {
            for name in field.to_str().unwrap().split(',') {
                let name = name.trim().to_ascii_lowercase();
                assert!(names.insert(name.clone()), "{name} twice: {self:?}");
            }
        }
        names
    }

    #[track_caller]
    fn varies_by(&self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(self.varied(), names, "{self:?}");
    }
}

const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "cookie"];

#[tokio::test]
async fn vary_names_every_credential_on_every_response_of_a_route() {
    let ann = bearer("ann");
    let tag = ask("/me", &ann, &[]).await.tag();
    for (status, answer) in [
        (200, ask("/me", &ann, &[]).await),
        (200, ask("/me", &key("ann"), &[]).await),
        (200, ask("/me", &cookie("ann"), &[]).await),
        (304, ask("/me", &ann, &[("if-none-match", &tag)]).await),
        (200, ask("/untagged", &ann, &[]).await),
        (200, get(&shop(), "/open").await),
        (200, ask("/open", &cookie("bad"), &[]).await),
        (401, get(&shop(), "/me").await),
        (401, ask("/me", &key("bad"), &[]).await),
        (403, ask("/staff", &ann, &[]).await),
        (404, ask("/missing", &ann, &[]).await),
        (412, change("/me", Some(&ann), "\"1\"").await),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        answer.varies_by(&CREDENTIALS);
    }
    for who in [None, Some(&ann)] {
        let mut request = Request::head("/open");
        if let Some((name, value)) = who {
            request = request.header(*name, value);
        }
        let answer = send(&shop(), request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        answer.varies_by(&CREDENTIALS);
    }
    // Without a route the response does not depend on the caller.
    get(&shop(), "/nowhere").await.varies_by(&[]);
}

#[tokio::test]
async fn vary_names_only_credentials_that_are_read() {
    /// Reads one field.
    struct TokenOnly;

    #[async_trait]
    impl Identify for TokenOnly {
        async fn identify(
            &self,
            _: RequestCredentials<'_>,
        ) -> Result<Option<Arc<Caller>>, Refusal> {
            Ok(None)
        }
        fn credential_headers(&self) -> Vec<CredentialHeader> {
            vec![CredentialHeader::Authorization]
        }
    }

    let builder = || Service::builder().module(Module::new("t").routes(routes![open]));
    let one = finish(builder().identify(Arc::new(TokenOnly)));
    get(&one, "/open").await.varies_by(&["authorization"]);
    get(&finish(builder()), "/open").await.varies_by(&[]);
}

#[tokio::test]
async fn vary_lists_credentials_with_origin_and_encoding() {
    let origin = Origin::parse("https://app.example.com").unwrap();
    let cors = Cors::new(vec![origin], true, std::time::Duration::from_secs(60)).unwrap();
    let service = |compression| {
        let options = EdgeOptions {
            cors: Some(cors.clone()),
            compression,
            ..EdgeOptions::default()
        };
        finish(
            Service::builder()
                .options(options)
                .identify(Arc::new(EveryWay))
                .module(Module::new("t").routes(routes![open, long])),
        )
    };
    let with = |more: &[&'static str]| [&CREDENTIALS[..], more].concat();
    let (packed, plain) = (service(true), service(false));
    get(&packed, "/open").await.varies_by(&with(&["origin"]));
    get(&packed, "/long")
        .await
        .varies_by(&with(&["origin", "accept-encoding"]));
    get(&plain, "/long").await.varies_by(&with(&["origin"]));
    get(&plain, "/nowhere").await.varies_by(&["origin"]);
}

#[get("/long", allow = anyone)]
async fn long() -> Text {
    Text("x".repeat(5_000))
}

#[tokio::test]
async fn a_public_response_to_an_anonymous_caller_is_shared() {
    get(&shop(), "/public").await.varies_by(&[]);
    // Not without the directive, on a protected route, or to an authenticated caller.
    get(&shop(), "/publicity").await.varies_by(&CREDENTIALS);
    let ann = bearer("ann");
    ask("/public", &ann, &[]).await.varies_by(&CREDENTIALS);
    ask("/members-public", &ann, &[])
        .await
        .varies_by(&CREDENTIALS);
    let known = get_with(&shop(), "/public", &[("if-none-match", "\"a\"")]).await;
    assert_eq!(known.status, 304);
    known.varies_by(&[]);
}

#[tokio::test]
async fn vary_of_the_route_is_merged() {
    for who in [None, Some(bearer("ann"))] {
        let fields: Vec<(&str, &str)> = who.iter().map(|(name, who)| (*name, &**who)).collect();
        let answer = get_with(&shop(), "/varies", &fields).await;
        answer.varies_by(&["accept", "authorization", "cookie", "x-api-key"]);
        let all = get_with(&shop(), "/varies-by-all", &fields).await;
        all.varies_by(&["*"]);
    }
}

#[tokio::test]
async fn the_tag_of_another_caller_is_never_304() {
    let ways = [bearer("ann"), key("bob"), cookie("cid"), bearer("ann2")];
    for one in &ways {
        let seen = ask("/me", one, &[]).await;
        assert_eq!(seen.header("cache-control"), Some("private, no-cache"));
        for other in &ways {
            for tag in [seen.tag(), format!("W/{}", seen.tag())] {
                let answer = ask("/me", other, &[("if-none-match", &tag)]).await;
                let status = if one == other { 304 } else { 200 };
                assert_eq!(answer.status, status, "{one:?} {other:?}: {answer:?}");
                // A cache selects its stored response by the tag of the 304.
                assert_eq!(answer.tag() == seen.tag(), one == other);
            }
        }
    }
    // The kind of credentials does not matter.
    let tag = ask("/me", &bearer("ann"), &[]).await.tag();
    for way in [key("ann"), cookie("ann")] {
        let answer = ask("/me", &way, &[("if-none-match", &tag)]).await;
        assert_eq!(answer.status, 304);
    }
    // Tags without the hash of a caller, from anonymous responses or an older release.
    let open = get(&shop(), "/open").await;
    assert_eq!(open.tag(), "\"7\"");
    let answer = ask("/open", &bearer("ann"), &[("if-none-match", "\"7\"")]).await;
    assert_eq!(answer.status, 200);
    let anonymous = get_with(&shop(), "/open", &[("if-none-match", &tag)]).await;
    assert_eq!(anonymous.status, 200);
}

#[tokio::test]
async fn a_tag_depends_on_scopes_and_roles() {
    let tag = ask("/me", &bearer("ann a b role=x role=y"), &[])
        .await
        .tag();
    for (who, status) in [
        ("ann b a role=y role=x", 304),
        ("ann a role=x role=y", 200),
        ("ann a b c role=x role=y", 200),
        ("ann a b role=x", 200),
        ("ann a b x role=y", 200),
        ("ann", 200),
    ] {
        let answer = ask("/me", &bearer(who), &[("if-none-match", &tag)]).await;
        assert_eq!(answer.status, status, "{who}");
    }
    // A precondition is about the version, so other rights of the subject are fine.
    assert_eq!(change("/me", Some(&key("ann")), &tag).await.status, 200);
}

#[tokio::test]
async fn if_match_compares_the_version_and_not_the_caller() {
    let (ann, bob) = (bearer("ann"), cookie("bob"));
    let tag = ask("/me", &ann, &[]).await.tag();
    let theirs = ask("/me", &bob, &[]).await.tag();
    for good in [
        tag.clone(),
        format!("\"zz\", {tag}"),
        format!("{tag}, \"zz\""),
        format!("\"a,b\" ,, {theirs} , {tag}, W/{tag}"),
        theirs.clone(),
        format!("\"zz\", {theirs}"),
        // The tag of an anonymous response.
        "\"7\"".to_owned(),
        "*".to_owned(),
    ] {
        let answer = change("/me", Some(&ann), &good).await;
        assert_eq!(answer.status, 200, "{good}: {answer:?}");
        // The new tag is for version 8, and this route stays at 7.
        let next = answer.tag();
        assert_ne!(next, tag);
        assert_eq!(change("/me", Some(&ann), &next).await.status, 412);
    }
    let bare = tag.trim_matches('"');
    for bad in [
        format!("W/{tag}"),
        "\"zz\"".to_owned(),
        bare.to_owned(),
        format!("\"{bare}x\""),
        format!("{tag}x"),
        format!("x{tag}"),
        format!("\"{}\"", &bare[1..]),
        format!("\"8{}\"", &bare[1..]),
        String::new(),
    ] {
        let answer = change("/me", Some(&ann), &bad).await;
        answer.is_problem(412, "precondition_failed");
    }
    // Two fields are one list.
    let request = Request::patch("/me")
        .header("if-match", "\"zz\"")
        .header("if-match", &tag)
        .header(ann.0, &ann.1);
    let answer = send(&shop(), request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    // Anonymous callers get and send the route's own tag.
    assert_eq!(change("/open", None, "\"7\"").await.status, 204);
    assert_eq!(change("/open", None, &tag).await.status, 204);
    assert_eq!(change("/open", Some(&ann), "\"7\"").await.status, 204);
}

#[tokio::test]
async fn a_weak_tag_stays_weak() {
    let ann = bearer("ann");
    let tag = ask("/weak", &ann, &[]).await.tag();
    assert!(tag.starts_with("W/\"a.b,c.") && tag.ends_with('"'), "{tag}");
    let strong = tag.trim_start_matches("W/");
    for known in [&tag, strong, &format!("\"x\", {tag}")] {
        let same = ask("/weak", &ann, &[("if-none-match", known)]).await;
        assert_eq!((same.status, same.tag()), (304, tag.clone()));
    }
    let other = ask("/weak", &bearer("bob"), &[("if-none-match", &tag)]).await;
    assert_eq!(other.status, 200);
    // A value that is not a tag stays unchanged and never matches.
    let odd = ask("/no-tag", &ann, &[("if-none-match", "a")]).await;
    assert_eq!((odd.status, odd.tag()), (200, "a".to_owned()));
}

#[tokio::test]
async fn cache_control_for_identified_callers() {
    for who in [bearer("ann"), key("ann"), cookie("ann")] {
        let kept = |answer: Answer| answer.header("cache-control").map(str::to_owned);
        assert_eq!(
            kept(ask("/me", &who, &[]).await).as_deref(),
            Some("private, no-cache")
        );
        assert_eq!(
            kept(ask("/untagged", &who, &[]).await).as_deref(),
            Some("no-store")
        );
    }
}

/// The value is fixed, so that nodes, restarts and releases agree.
#[tokio::test]
async fn a_tag_is_the_same_on_every_node() {
    let tag = ask(
        "/me",
        &bearer("usr_01jd9m3z6veqjsk4dy2hjcg8x4 a role=x"),
        &[],
    )
    .await
    .tag();
    assert_eq!(tag, "\"7.3viPRDvzPX9A79WH\"");
}
