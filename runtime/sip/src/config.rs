//! What the endpoint must be told: who it is, how patient, and how much it may hold. It asks for nothing else.

use std::net::SocketAddr;

/// Settings of one [`Endpoint`](crate::Endpoint). Fixed for its life.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our address as peers see it: Via of what we place, Contact of it. Not a wildcard.
    pub local: SocketAddr,
    /// `User-Agent` and `Server` header.
    pub user_agent: String,
    /// Id of the first incoming leg; the following ones count up. Endpoints of one process need ranges apart.
    pub leg_first: u64,
    /// RFC 3261 §17.1.1.1: estimate of the round trip.
    pub t1_ms: u64,
    /// RFC 3261 §17.1.2.2: longest pause between retransmissions.
    pub t2_ms: u64,
    /// RFC 3261 §17.1.2.2: how long a message may stay in the network.
    pub t4_ms: u64,
    /// Legs at one time. Over it: 503 with Retry-After, and a dialled leg is `Gone { Failed }`.
    pub legs_max: usize,
    /// Incoming legs from one address that we answered and that wait for their ACK. Over it: 503 with Retry-After,
    /// for each of them stays for 64·T1 if nobody is there.
    pub unacknowledged_max: usize,
    /// Transactions at one time, finished ones that still absorb retransmissions included. Over it: 503.
    pub transactions_max: usize,
    /// Longest body of a request, in bytes. Over it: 413.
    pub body_bytes_max: usize,
    /// RFC 4028 §7.1: a session that is not refreshed for so long is over, in seconds. At least `session_expires_s_min`.
    pub session_expires_s: u32,
    /// RFC 4028 §5: shortest that we agree to. Under it: 422. At least 90.
    pub session_expires_s_min: u32,
    /// How long a far side that was given away may try to reach whom it was given to.
    pub transfer_ms_max: u64,
    /// How long a dialog of another process may take to come back.
    pub revive_ms_max: u64,
    /// `Retry-After` of every 503, in seconds.
    pub retry_after_s: u32,
    /// Connections at one time, an eighth of them only for those that we open. Over it those that peers made, and that
    /// no call and no phone needs, are closed for new ones, the quietest of the busiest networks first. 0: there is no TCP here.
    pub connections_max: usize,
    /// Of them, those with one host; over it a new one is closed at once. A NAT may have a whole office behind it.
    pub connections_per_host_max: usize,
    /// How long a connection of ours may take to come about.
    pub connect_ms: u64,
    /// How long a message on a connection may take from its first byte to its last, and the first one to come.
    pub message_ms: u64,
    /// A connection that says nothing for so long is closed, unless a call needs it. Longer than any transaction.
    pub idle_ms: u64,
}

impl Config {
    /// The RFC's timers and bounds for one core.
    pub fn new(local: SocketAddr) -> Self {
        Self {
            local,
            user_agent: "strowger".to_owned(),
            leg_first: 1,
            t1_ms: 500,
            t2_ms: 4_000,
            t4_ms: 5_000,
            legs_max: 50_000,
            unacknowledged_max: 12_500,
            transactions_max: 1_000_000,
            body_bytes_max: 16 * 1024,
            session_expires_s: 1_800,
            session_expires_s_min: 90,
            transfer_ms_max: 180_000,
            revive_ms_max: 10_000,
            retry_after_s: 5,
            connections_max: 2_048,
            connections_per_host_max: 256,
            connect_ms: 4_000,
            message_ms: 10_000,
            idle_ms: 180_000,
        }
    }
}
