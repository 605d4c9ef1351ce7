//! The queues from outside: what goes in as calls, what comes out as words.

mod agents;
mod order;
mod waits;
