//! How messages travel: datagrams, and connections with their framing and bounds (RFC 3261 §18). It knows neither
//! transactions nor what a message says.

mod connections;
mod framing;
mod hop;

pub use connections::Connections;
pub use framing::Frame;
pub use hop::{ConnectionId, Hop, Over, Transport, network};
