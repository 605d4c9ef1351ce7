//! RTP fixed headers (RFC 3550 §5.1).
