//! Live: the bids of an auction as server-sent events, and over a WebSocket.

use doyen::domain::event::RecordedEvent;
use doyen::live::{Change, SocketProblem};
use doyen::prelude::*;
use serde::Deserialize;

/// What happens at an auction. The aggregate `auction:<lot>` is a topic.
#[derive(Event)]
#[event(topic = "auction", key = "lot")]
enum AuctionEvent {
    Bid { lot: String, amount: u64 },
}

/// A bid, as watchers see it.
#[derive(Output, Deserialize)]
struct BidView {
    lot: String,
    amount: u64,
}

/// Shows events to one reader: here all fields to every client.
#[derive(Clone, Inject)]
struct BidFeed {}

impl Feed for BidFeed {
    type Item = BidView;

    async fn item(&self, event: &RecordedEvent) -> Result<Option<BidView>, Unexpected> {
        Ok(Some(serde_json::from_str(&event.payload)?))
    }
}

fn topic(lot: &str) -> Topic {
    Topic::of(&format!("auction:{lot}"))
}

/// Watch an auction
#[get("/auctions/{lot}/events", allow = anyone)]
async fn watch(live: Live<BidFeed>, lot: String) -> Events<BidView> {
    live.events(topic(&lot))
}

/// A message from a bidder.
#[derive(Input)]
#[input(tag = "type")]
enum FromBidder {
    Watch {
        lot: String,
        after: Option<String>,
    },
    Bid {
        lot: String,
        #[validate(range(min = 1, max = 1_000_000))]
        amount: u64,
    },
}

/// A message to a bidder.
#[derive(Output)]
#[output(tag = "type")]
enum ToBidder {
    Watching { lot: String },
    Bid { id: String, bid: BidView },
    Accepted,
    Rejected { code: String, detail: String },
}

impl From<Change<BidView>> for ToBidder {
    fn from(change: Change<BidView>) -> Self {
        Self::Bid {
            id: change.id,
            bid: change.data,
        }
    }
}

impl From<SocketProblem> for ToBidder {
    fn from(problem: SocketProblem) -> Self {
        Self::Rejected {
            code: problem.code,
            detail: problem.detail,
        }
    }
}

/// Bid at auctions
#[socket("/auctions/socket", allow = signed_in, protocol = "auctions.v1")]
async fn bid(
    connection: Connection<ToBidder>,
    message: FromBidder,
    session: Session,
    live: Live<BidFeed>,
) -> Result<(), Unexpected> {
    match message {
        FromBidder::Watch { lot, after } => {
            let topic = topic(&lot);
            connection.subscribe(&live, topic, after.as_deref(), &ToBidder::Watching { lot })
        }
        FromBidder::Bid { lot, amount } => {
            session.emit(&AuctionEvent::Bid { lot, amount }).await?;
            connection.send(&ToBidder::Accepted)
        }
    }
}

/// The module with the auctions, and the tokens that open sockets from browsers.
pub fn module() -> Module {
    Module::new("auctions")
        .routes(routes![watch, bid])
        .routes(Routes::new(vec![doyen::live::tokens()]).at("/live"))
}
