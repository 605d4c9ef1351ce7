//! SIP without a socket, a clock or a random source: messages, transactions, dialogs, offer and answer.
//! It knows nothing of RTP packets, flows or tokio; it speaks `runtime_contract::leg` to the exchange and
//! datagrams to the server.
//!
//! # Driving rule
//! 1. Give one input with [`Endpoint::handle`], with the tick at which it happened (never going back).
//! 2. Drain the [`Outputs`] it returns: send each [`Output::Send`], hand on each [`Output::Event`]. They borrow
//!    the endpoint, so that no second input fits in between; what was not drained comes first the next time.
//! 3. Ask [`Endpoint::next_deadline`] and give [`Input::Timeout`] at that tick or soon after it, unless another
//!    input comes first. A timeout that comes early does nothing.
//!
//! ```
//! use runtime_sip::{Config, Endpoint, Input, Output};
//! use runtime_contract::time::Tick;
//!
//! let local = "127.0.0.1:5060".parse().unwrap();
//! let source = "127.0.0.1:5062".parse().unwrap();
//! let mut endpoint = Endpoint::new(Config::new(local), [7; 32]);
//! let bytes = b"OPTIONS sip:ivr@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1\r\n\
//!     From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:ivr@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
//!     Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
//! let input = Input::Datagram { source, local, bytes, trusted: true };
//! for output in endpoint.handle(Tick(0), input) {
//!     if let Output::Send { destination, bytes, .. } = output {
//!         assert_eq!(destination, source);
//!         assert!(bytes.starts_with(b"SIP/2.0 200 OK\r\n"));
//!     }
//! }
//! ```
//!
//! # Legs
//! An accepted INVITE becomes [`LegEvent::Incoming`](runtime_contract::leg::LegEvent) with a [`LegId`] counted up
//! from [`Config::leg_first`]. Legs that others dial carry ids that they chose: keep the ranges apart. After
//! `Gone` a leg is unknown here; commands for unknown legs are ignored, because they may cross its end.
//! `HangUp` says `Gone { LocalHungUp }` at once; whatever CANCEL or BYE is still due goes on without the leg.
//! What `Incoming` and `Dialog` give to be kept is what `Revive` takes in another process: the last one said counts.
//!
//! [`LegId`]: runtime_contract::leg::LegId
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests may stop at the first surprise"
    )
)]

mod alarms;
mod auth;
mod config;
mod context;
mod dialog;
mod endpoint;
mod entropy;
mod message;
mod registrar;
mod sdp;
mod site;
mod slab;
mod transaction;
mod transport;
mod trunks;

pub use auth::{Account, Algorithm};
pub use config::Config;
pub use endpoint::{Endpoint, Input, Load, Output, Outputs};
pub use site::{Phone, Site, Trunk};
pub use transport::{ConnectionId, Transport};
pub use trunks::TrunkStatus;
