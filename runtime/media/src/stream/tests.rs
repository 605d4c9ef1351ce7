//! A leg's media under virtual time.
