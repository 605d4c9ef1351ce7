//! How messages travel: datagrams, and connections with their framing and bounds (RFC 3261 §18). It knows neither
//! transactions nor what a message says.

mod hop;

pub use hop::{ConnectionId, Hop, Transport};
