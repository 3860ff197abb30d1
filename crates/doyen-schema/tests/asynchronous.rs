//! Asynchronous rules: when they run, and where their errors point.

extern crate doyen_schema as doyen;

use doyen_core::inject::{Container, Context};
use doyen_core::{At, Failures, Patch, Place};
use doyen_schema::Input;
use doyen_schema::input::json;
use doyen_schema::rule::Broken;

#[derive(Input)]
#[validate(async = whole)]
struct Signup {
    #[validate(length(min = 1), async = free)]
    name: String,
    #[validate(async = free_text)]
    nick: Patch<Option<String>>,
    friends: Vec<Friend>,
    #[input(default)]
    more: Vec<Signup>,
}

#[derive(Input)]
struct Friend {
    #[validate(async = free)]
    name: String,
}

#[derive(Input)]
#[input(tag = "kind")]
enum Step {
    Invite(Friend),
    Rename {
        #[validate(async = free)]
        to: String,
    },
    Stop,
}

#[derive(Input)]
struct Plain {
    #[expect(dead_code, reason = "only read")]
    name: String,
}

async fn free(name: &str, _: &Context) -> Result<(), Broken> {
    free_text(name, &()).await
}

async fn free_text<C>(name: &str, _: &C) -> Result<(), Broken> {
    if name == "taken" {
        Err(Broken::new("taken", "is taken"))
    } else {
        Ok(())
    }
}

async fn whole(signup: &Signup, _: &Context) -> Result<(), Broken> {
    if signup.friends.len() > 2 {
        Err(Broken::new("crowd", "are too many").field("friends"))
    } else {
        Ok(())
    }
}

fn verified<T: Input>(body: &str) -> Vec<(String, &'static str)> {
    let at = At::root(Place::Body);
    let mut out = Failures::new();
    let value = T::parse(
        json::parse(body.as_bytes(), &json::Limits::default()).unwrap(),
        &at,
        &mut out,
    )
    .unwrap();
    assert!(out.is_empty());
    let context = Container::builder().build(&[]).unwrap().context();
    futures_util::FutureExt::now_or_never(value.verify(&context, &at, &mut out))
        .expect("nothing to wait for");
    out.iter()
        .map(|failure| (failure.pointer.clone(), failure.code))
        .collect()
}

#[test]
fn errors_of_every_depth_have_their_location() {
    let found = verified::<Signup>(
        r#"{"name": "taken", "nick": "taken", "friends": [{"name": "a"}, {"name": "taken"}, {"name": "b"}],
            "more": [{"name": "taken", "nick": null, "friends": []}]}"#,
    );
    let expected = [
        ("/name", "taken"),
        ("/nick", "taken"),
        ("/friends/1/name", "taken"),
        ("/more/0/name", "taken"),
        ("/friends", "crowd"),
    ];
    assert_eq!(
        found,
        expected.map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn variants_are_verified() {
    assert_eq!(
        verified::<Step>(r#"{"kind": "invite", "name": "taken"}"#),
        [("/name".to_owned(), "taken")]
    );
    assert_eq!(
        verified::<Step>(r#"{"kind": "rename", "to": "taken"}"#),
        [("/to".to_owned(), "taken")]
    );
    assert_eq!(verified::<Step>(r#"{"kind": "stop"}"#), []);
}

#[test]
fn a_type_knows_whether_it_must_be_verified() {
    const {
        assert!(Signup::ASYNC && Friend::ASYNC && Step::ASYNC && <Option<Vec<Friend>>>::ASYNC);
        assert!(!Plain::ASYNC && !<Vec<Plain>>::ASYNC);
    }
}

/// Types that contain each other.
#[derive(Input)]
struct Folder {
    #[input(recursive)]
    files: Vec<File>,
}

#[derive(Input)]
struct File {
    #[validate(async = free)]
    name: String,
    inside: Option<Box<Folder>>,
}

#[test]
fn types_that_contain_each_other_are_verified() {
    const { assert!(Folder::ASYNC && File::ASYNC) };
    let found = verified::<Folder>(
        r#"{"files": [{"name": "a", "inside": {"files": [{"name": "taken"}]}}]}"#,
    );
    assert_eq!(
        found,
        [("/files/0/inside/files/0/name".to_owned(), "taken")]
    );
}
