//! How many files the process may have open: each call holds two sockets, RTP's and RTCP's. It knows nothing of calls but their number.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// SIP's connections (`connections_max`), other sockets, the store, prompts being read and HTTP beside the calls'.
const BESIDE_CALLS: u64 = 2_048 + 512;

/// RTP and RTCP.
const SOCKETS_OF_A_CALL: u64 = 2;

/// Asks the system for as many as it allows. A warning when that is less than `calls_max` calls need.
pub fn raise(calls_max: u32) -> Option<String> {
    let wanted = u64::from(calls_max) * SOCKETS_OF_A_CALL + BESIDE_CALLS;
    let allowed = allowed().unwrap_or(wanted);
    (allowed < wanted).then(|| {
        format!(
            "the system lets this process open {allowed} files, and {calls_max} calls at once need {wanted}; \
             raise `LimitNOFILE` (or `ulimit -Hn`), or lower `limits.calls_max`"
        )
    })
}

/// `None` when the system does not say.
fn allowed() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    Some(if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_all_it_has_and_less_than_needed_is_told() {
        assert_eq!(raise(0), None);
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(soft, hard);
        let warning = raise(u32::MAX);
        assert_eq!(warning.is_some(), hard < u64::from(u32::MAX) * SOCKETS_OF_A_CALL + BESIDE_CALLS);
    }
}
