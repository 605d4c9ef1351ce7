//! False callers and false time for the real session and exchange: plays tests, and the terminal's `talk`.
