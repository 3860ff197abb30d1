//! The names of schemas in the document.

use doyen::prelude::*;
use doyen::schema::{Info, document};
use serde_json::Value;

use crate::kit::service;

/// An envelope.
#[derive(Input, Output)]
struct Env<T> {
    content: T,
}

/// A letter.
#[derive(Input, Output)]
struct Letter {
    text: String,
}

/// A parcel.
#[derive(Input, Output)]
struct Parcel {
    weight: u32,
}

/// Send a letter, if there is one
#[post("/letter", allow = anyone)]
async fn letter(Json(env): Json<Env<Option<Letter>>>) -> Json<Env<Option<Letter>>> {
    Json(env)
}

/// Send a parcel, if there is one
#[post("/parcel", allow = anyone)]
async fn parcel(Json(env): Json<Env<Option<Parcel>>>) -> Json<Env<Option<Parcel>>> {
    Json(env)
}

/// Send numbers
#[post("/numbers", allow = anyone)]
async fn numbers(Json(env): Json<Env<Vec<i32>>>) -> Json<Env<Vec<i32>>> {
    Json(env)
}

/// Send words
#[post("/words", allow = anyone)]
async fn words(Json(env): Json<Env<Vec<String>>>) -> Json<Env<Vec<String>>> {
    Json(env)
}

/// Send a small number
#[post("/small", allow = anyone)]
async fn small(Json(env): Json<Env<u8>>) -> Json<Env<u8>> {
    Json(env)
}

/// Send a large number
#[post("/large", allow = anyone)]
async fn large(Json(env): Json<Env<u16>>) -> Json<Env<u16>> {
    Json(env)
}

#[test]
fn instances_of_a_generic_type_have_different_names() {
    let shop = service(routes![letter, parcel, numbers, words, small, large]);
    let all = document(&Info::default(), shop.operations(), shop.components());
    let names = all["components"]["schemas"].as_object().unwrap().keys();
    let names: Vec<&String> = names.filter(|name| name.starts_with("Env")).collect();
    assert_eq!(
        names,
        [
            "EnvArrayInt32",
            "EnvArrayString",
            "EnvArrayStringInput",
            "EnvOptionLetter",
            "EnvOptionLetterInput",
            "EnvOptionParcel",
            "EnvOptionParcelInput",
            "EnvU16",
            "EnvU8"
        ]
    );
    let schema = |path: &str, place: &str| -> Value {
        let operation = &all["paths"][path]["post"];
        operation.pointer(place).unwrap()["application/json"]["schema"]["$ref"].clone()
    };
    for (path, input, output) in [
        ("/letter", "EnvOptionLetterInput", "EnvOptionLetter"),
        ("/small", "EnvU8", "EnvU8"),
        ("/large", "EnvU16", "EnvU16"),
    ] {
        let name = |name: &str| format!("#/components/schemas/{name}");
        assert_eq!(schema(path, "/requestBody/content"), name(input));
        assert_eq!(schema(path, "/responses/200/content"), name(output));
    }
}
