//! Real sockets and real time for the cores.
