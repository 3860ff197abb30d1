//! The request id and the trace context, which connect the records of one request.
//!
//! ```
//! use doyen_core::{RequestId, TraceContext};
//!
//! let incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! let here = TraceContext::continue_or_start(Some(incoming));
//! assert_eq!(here.trace_id(), "0af7651916cd43dd8448eb211c80319c");
//! assert!(here.sampled());
//!
//! assert_eq!(RequestId::accept_or_new(Some("order-7.retry_2")).as_str(), "order-7.retry_2");
//! assert_eq!(RequestId::accept_or_new(Some("bad\r\nid")).as_str().len(), 32);
//! ```
//!
//! What it does not do: it creates no spans and carries no `tracestate`. Ids are unique, not
//! secret: knowledge of an id must not grant anything.

mod context;
mod current;
mod random;
mod request_id;

pub use context::TraceContext;
pub use current::{current_request, within_request};
pub use request_id::RequestId;
