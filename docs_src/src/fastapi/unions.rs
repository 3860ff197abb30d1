//! Unions: with a tag, and without one.

use doyen::prelude::*;

/// A car.
#[derive(Input, Output)]
struct Car {
    description: String,
    doors: u8,
}

/// A plane.
#[derive(Input, Output)]
struct Plane {
    description: String,
    size: u32,
}

/// A vehicle. Its fields select the variant.
#[derive(Input, Output)]
#[input(untagged)]
#[output(untagged)]
enum Vehicle {
    Plane(Plane),
    Car(Car),
}

/// A shape. The field `kind` selects the variant.
#[derive(Input, Output)]
#[input(tag = "kind")]
#[output(tag = "kind")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f64 },
}

/// Take a vehicle
#[post("/vehicles", allow = anyone)]
async fn vehicle(Json(vehicle): Json<Vehicle>) -> Json<Vehicle> {
    Json(vehicle)
}

/// Take a shape
#[post("/shapes", allow = anyone)]
async fn shape(Json(shape): Json<Shape>) -> Json<Shape> {
    Json(shape)
}

/// The module with unions.
pub fn module() -> Module {
    Module::new("unions").routes(routes![vehicle, shape])
}
