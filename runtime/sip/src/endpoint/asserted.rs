//! Who calls, as a network says it that we trust (RFC 3325). It does not know who is trusted to place calls at all.

use std::net::IpAddr;

use runtime_contract::Redacted;

use super::incoming::caller;
use crate::message::address::parse_address;
use crate::message::scan::split_commas;
use crate::message::uri::Uri;
use crate::message::{Header, Message};
use crate::site::Site;

/// The caller as P-Asserted-Identity says it, else as From does. One who wishes to stay unknown (`Privacy: id`, RFC 3325
/// §9.3) is `None`, for flows and records are not of the trust domain. Whoever is not of it is asked for his From alone.
pub(super) fn asserted_caller(
    site: &Site,
    peer: IpAddr,
    message: &Message<'_>,
    from: Uri<'_>,
) -> Option<Redacted<String>> {
    if !site.is_told_by(peer) {
        return caller(from);
    }
    let wishes =
        message.all(Header::Privacy).flat_map(split_commas).flat_map(|value| value.split(|byte| *byte == b';'));
    if wishes.into_iter().any(|wish| wish.trim_ascii().eq_ignore_ascii_case(b"id")) {
        return None;
    }
    let mut sip = None;
    for value in message.values(Header::PAssertedIdentity) {
        match parse_address(value).map(|address| address.parsed()) {
            Some(uri @ Uri::Tel(_)) => return caller(uri),
            Some(uri) => sip = sip.or_else(|| caller(uri)),
            None => {}
        }
    }
    sip.or_else(|| caller(from))
}
