//! Connections from their first byte to their end (RFC 3261 §18): what comes on them is served like a datagram, and
//! what waited on one that is gone is told so. It decides nothing about legs.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Endpoint;
use super::receive::Arrival;
use crate::Output;
use crate::message::check::Refusal;
use crate::message::{Message, Start};
use crate::slab::Key;
use crate::transport::{ConnectionId, Frame, Hop, Over};

/// Of all connections, one part in so many is freed at a time.
const ROOM: usize = 64;
/// How long it is believed that there is nothing to be freed.
const NO_ROOM_MS: u64 = 500;

impl Endpoint {
    pub(super) fn accepted(&mut self, connection: ConnectionId, source: SocketAddr, local: SocketAddr) {
        if self.ctx.connections.is_full_for_peers(&self.ctx.config)
            && self.ctx.connections.has_room_of_host(&self.ctx.config, source.ip())
        {
            self.make_room();
        }
        let ctx = &mut self.ctx;
        if ctx.connections.accept(&ctx.config, ctx.now, connection, source, local) {
            ctx.watch(connection);
        } else {
            ctx.outputs.push_back(Output::Close { connection });
        }
    }

    /// Closes connections that nobody needs: those who only hold theirs open shut out nobody. Some at once, for to find
    /// them all legs are looked at.
    fn make_room(&mut self) {
        if self.no_room_until.is_some_and(|until| self.ctx.now < until) {
            return;
        }
        let needed = self.legs.connections().chain(self.registrar.connections()).collect();
        let spare = self.ctx.connections.spare(&needed, (self.ctx.config.connections_max / ROOM).max(1));
        self.no_room_until = spare.is_empty().then(|| self.ctx.now.plus_ms(NO_ROOM_MS));
        for connection in spare {
            self.close(connection);
        }
    }

    pub(super) fn connected(&mut self, connection: ConnectionId) {
        if let Some(state) = self.ctx.connections.get_mut(connection) {
            state.connecting = false;
            state.touch(self.ctx.now);
        }
        self.ctx.watch(connection);
    }

    pub(super) fn stream(&mut self, connection: ConnectionId, bytes: &[u8], trusted: bool) {
        let now = self.ctx.now;
        let Some(state) = self.ctx.connections.get_mut(connection) else { return };
        let mut framing = state.received(now, bytes);
        let source = Hop { address: state.peer, over: Over::Tcp(Some(connection)), pinned: false };
        let arrival = Arrival { source, local: state.local, trusted, phone: None };
        let (mut some, mut ponged) = (false, false);
        loop {
            match framing.next(self.ctx.config.body_bytes_max) {
                Frame::Message(range) => {
                    some = true;
                    self.receive(&arrival, framing.get(range));
                    // The next message may end what this one began.
                    self.hear_branches();
                }
                // One for all of a read: who sends pings and reads nothing shall not fill what waits for him.
                Frame::Ping if !std::mem::replace(&mut ponged, true) => {
                    self.ctx.write(connection, Arc::from(*b"\r\n"));
                }
                Frame::Ping => {}
                Frame::Endless(head, refusal) => {
                    self.refuse_endless(&arrival, framing.get(head), refusal);
                    return self.close(connection);
                }
                Frame::Garbage => return self.close(connection),
                Frame::More => break,
            }
        }
        if let Some(state) = self.ctx.connections.get_mut(connection) {
            state.served(now, framing, some, trusted);
            self.ctx.watch(connection);
        }
    }

    fn refuse_endless(&mut self, arrival: &Arrival, head: &[u8], refusal: Refusal) {
        let Ok(message) = Message::frame(head) else { return };
        if matches!(message.start, Start::Request { method, .. } if method != b"ACK") {
            self.refuse_broken(arrival, &message, refusal);
        }
    }

    /// We close it; whoever waits on it is told.
    fn close(&mut self, connection: ConnectionId) {
        self.ctx.outputs.push_back(Output::Close { connection });
        self.closed(connection);
    }

    pub(super) fn closed(&mut self, connection: ConnectionId) {
        let Some(state) = self.ctx.connections.remove(connection) else { return };
        let connected = !state.connecting;
        for key in state.into_waiting() {
            self.undelivered(key, connected);
        }
    }

    pub(super) fn undelivered(&mut self, key: Key, connected: bool) {
        if let Some(told) = self.transactions.undelivered(&mut self.ctx, key, connected) {
            self.settle(key, told);
        }
    }

    /// Closes what takes too long, and what nobody needs any more.
    pub(super) fn look_after(&mut self, connection: ConnectionId) {
        let (now, config) = (self.ctx.now, &self.ctx.config);
        let Some(state) = self.ctx.connections.get_mut(connection) else { return };
        if state.end(config).is_some_and(|end| end <= now) {
            return self.close(connection);
        }
        if state.idle_end(config) <= now {
            let needed = self.legs.connections().chain(self.registrar.connections()).any(|id| id == connection);
            if !needed {
                return self.close(connection);
            }
            state.touch(now);
        }
        self.ctx.watch(connection);
    }
}
