//! SIP without a socket or a clock.
