//! Who may see calls and change what is served: somebody on this machine, and no web page that he has open on it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::versions::Actor;

/// Letters of a user's name that are kept.
const WHO_MAX: usize = 64;
/// By which the command line says who runs it.
pub const USER_HEADER: &str = "strowger-user";

/// The operator, or the refusal that whoever asked gets. A browser says from which page it asks; and a page whose name
/// was made to lead here is betrayed by that name.
pub fn operator(peer: SocketAddr, headers: &HeaderMap) -> Result<Actor, Box<Response>> {
    let here = peer.ip().to_canonical().is_loopback();
    if !here || headers.contains_key(header::ORIGIN) || !names_this_machine(headers) {
        let refused = (StatusCode::FORBIDDEN, "this is for this machine's own command line\n").into_response();
        return Err(Box::new(refused));
    }
    let who = headers.get(USER_HEADER).and_then(|who| who.to_str().ok()).unwrap_or("unknown");
    let who: String = who.chars().filter(|c| !c.is_control()).take(WHO_MAX).collect();
    Ok(Actor { who, peer: peer.to_string() })
}

/// An address in figures, or `localhost`.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return true };
    let name = host.parse::<SocketAddr>().map(|address| address.ip().to_string());
    let name = name.unwrap_or_else(|_| host.rsplit_once(':').map_or(host, |(name, _)| name).to_owned());
    name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        operator(peer.parse().unwrap(), &headers).ok().map(|actor| actor.who)
    }

    #[test]
    fn only_this_machine_and_no_page_in_a_browser() {
        let me = Some("unknown".to_owned());
        assert_eq!(asks("127.0.0.1:5", &[]), me);
        assert_eq!(asks("[::1]:5", &[("host", "[::1]:8060")]), me);
        assert_eq!(asks("[::ffff:127.0.0.1]:5", &[("host", "localhost:8060")]), me);
        assert_eq!(asks("127.0.0.1:5", &[("host", "127.0.0.1"), (USER_HEADER, "anna")]), Some("anna".to_owned()));
        assert_eq!(asks("192.0.2.1:5", &[]), None);
        assert_eq!(asks("127.0.0.1:5", &[("origin", "http://127.0.0.1:8060")]), None);
        assert_eq!(asks("127.0.0.1:5", &[("host", "evil.example:8060")]), None, "a name that leads here");
    }
}
