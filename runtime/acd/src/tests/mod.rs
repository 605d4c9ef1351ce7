//! The queues from outside: what goes in as calls, what comes out as words.

mod agents;
mod bounds;
mod figures;
mod oracle;
mod order;
mod random;
mod waits;
