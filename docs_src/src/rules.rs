//! Custom validation rules: for one field, for several fields, and asynchronous.

use std::sync::Arc;

use doyen::domain::inject::Context;
use doyen::prelude::*;
use doyen::schema::rule::Broken;

/// A hotel booking.
#[derive(Input)]
#[validate(custom = departs_after_arrival)]
struct Booking {
    #[validate(length(min = 1, max = 60), custom = no_shouting)]
    guest: String,
    #[validate(range(min = 1, max = 365))]
    from_day: u16,
    #[validate(range(min = 1, max = 366))]
    to_day: u16,
    #[validate(range(min = 1), async = is_free)]
    room: u16,
}

fn no_shouting(guest: &str) -> Result<(), Broken> {
    if guest.chars().any(char::is_lowercase) {
        Ok(())
    } else {
        Err(Broken::new("shouting", "must not be all capitals"))
    }
}

/// Runs if every field is valid.
fn departs_after_arrival(booking: &Booking) -> Result<(), Broken> {
    if booking.from_day < booking.to_day {
        Ok(())
    } else {
        Err(Broken::new("order", "must be after `from_day`").field("to_day"))
    }
}

/// Runs if there are no other errors. The context resolves any injectable type.
async fn is_free(room: &u16, cx: &Context) -> Result<(), Broken> {
    match cx.get::<Arc<Rooms>>().await {
        Ok(rooms) if !rooms.taken.contains(room) => Ok(()),
        _ => Err(Broken::new("taken", "is already booked")),
    }
}

/// The rooms that are already booked.
struct Rooms {
    taken: Vec<u16>,
}

/// A confirmed booking.
#[derive(Output)]
struct Booked {
    guest: String,
    room: u16,
    nights: u16,
}

/// Book a room
#[post("/bookings", allow = anyone)]
async fn book(_rooms: Arc<Rooms>, Json(booking): Json<Booking>) -> Json<Booked> {
    Json(Booked {
        nights: booking.to_day - booking.from_day,
        guest: booking.guest,
        room: booking.room,
    })
}

/// The module with bookings.
pub fn module() -> Module {
    let rooms = Rooms { taken: vec![13] };
    Module::new("hotel")
        .routes(routes![book])
        .provide(Arc::new(rooms))
}
