//! The four tables in full, to be laid beside the figures, and checks that hold for all of them.

use super::*;

const STATES: [State; 7] = [
    State::Calling,
    State::Trying,
    State::Proceeding,
    State::Completed,
    State::Confirmed,
    State::Accepted,
    State::Terminated,
];

fn events() -> Vec<Event> {
    use super::Timer::*;
    let timers = [A, B, D, E, F, G, H, I, J, K, L, M, Trying];
    [Event::Request, Event::Ack, Event::Provisional, Event::Success, Event::Failure]
        .into_iter()
        .chain(timers.map(Event::Timer))
        .chain([Event::TransportError])
        .collect()
}

fn write_actions(actions: &[Action]) -> String {
    let words: Vec<_> = actions.iter().map(|action| format!("{action:?}")).collect();
    words.join(" ").replace("Arm(", "arm ").replace(')', "")
}

fn check(machine: Machine, expected: &str) {
    let start = machine.start();
    let mut table = vec![format!("start -> {:?}: {}", start.next, write_actions(start.actions))];
    for state in STATES {
        for event in events() {
            if let Some(Step { next, actions }) = machine.step(state, event) {
                let event = format!("{event:?}").replace("Timer(", "timer ").replace(')', "");
                table.push(format!("{state:?}, {event} -> {next:?}: {}", write_actions(actions)).trim_end().to_owned());
            }
        }
    }
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(table, expected);
}

#[test]
fn invite_client_of_rfc_6026_figure_5() {
    check(
        Machine::ClientInvite,
        "start -> Calling: Send arm A arm B
        Calling, Provisional -> Proceeding: Tell
        Calling, Success -> Accepted: Tell arm M
        Calling, Failure -> Completed: Ack Tell arm D
        Calling, timer A -> Calling: Resend arm A
        Calling, timer B -> Terminated: TimedOut
        Calling, TransportError -> Terminated: TimedOut
        Proceeding, Provisional -> Proceeding: Tell
        Proceeding, Success -> Accepted: Tell arm M
        Proceeding, Failure -> Completed: Ack Tell arm D
        Completed, Failure -> Completed: Resend
        Completed, timer D -> Terminated:
        Completed, TransportError -> Terminated:
        Accepted, Success -> Accepted: Tell
        Accepted, timer M -> Terminated:",
    );
}

#[test]
fn client_of_rfc_3261_figure_6() {
    check(
        Machine::Client,
        "start -> Trying: Send arm E arm F
        Trying, Provisional -> Proceeding: Tell
        Trying, Success -> Completed: Tell arm K
        Trying, Failure -> Completed: Tell arm K
        Trying, timer E -> Trying: Resend arm E
        Trying, timer F -> Terminated: TimedOut
        Trying, TransportError -> Terminated: TimedOut
        Proceeding, Provisional -> Proceeding: Tell
        Proceeding, Success -> Completed: Tell arm K
        Proceeding, Failure -> Completed: Tell arm K
        Proceeding, timer E -> Proceeding: Resend arm E
        Proceeding, timer F -> Terminated: TimedOut
        Proceeding, TransportError -> Terminated: TimedOut
        Completed, timer K -> Terminated:",
    );
}

#[test]
fn invite_server_of_rfc_6026_figure_7() {
    check(
        Machine::ServerInvite,
        "start -> Proceeding: Tell arm Trying
        Proceeding, Request -> Proceeding: Resend Trying
        Proceeding, Provisional -> Proceeding: Send
        Proceeding, Success -> Accepted: Send arm L
        Proceeding, Failure -> Completed: Send arm G arm H
        Proceeding, timer Trying -> Proceeding: Trying
        Completed, Request -> Completed: Resend
        Completed, Ack -> Confirmed: arm I
        Completed, timer G -> Completed: Resend arm G
        Completed, timer H -> Terminated: TimedOut
        Confirmed, timer I -> Terminated:
        Accepted, Request -> Accepted:
        Accepted, Ack -> Accepted: Tell
        Accepted, Success -> Accepted: Send
        Accepted, timer L -> Terminated:",
    );
}

#[test]
fn server_of_rfc_3261_figure_8() {
    check(
        Machine::Server,
        "start -> Trying: Tell
        Trying, Provisional -> Proceeding: Send
        Trying, Success -> Completed: Send arm J
        Trying, Failure -> Completed: Send arm J
        Proceeding, Request -> Proceeding: Resend
        Proceeding, Provisional -> Proceeding: Send
        Proceeding, Success -> Completed: Send arm J
        Proceeding, Failure -> Completed: Send arm J
        Completed, Request -> Completed: Resend
        Completed, timer J -> Terminated:",
    );
}

/// Walks every state that can be reached: each has a way out by time, or waits for our own answer, and nothing
/// leads out of Terminated. So every transaction ends once its user has answered.
#[test]
fn every_transaction_ends() {
    for machine in [Machine::ClientInvite, Machine::Client, Machine::ServerInvite, Machine::Server] {
        for state in STATES {
            let steps: Vec<_> =
                events().into_iter().filter_map(|event| Some((event, machine.step(state, event)?))).collect();
            if state == State::Terminated {
                assert!(steps.is_empty());
            }
            let waits_for_user = matches!(machine, Machine::ServerInvite | Machine::Server)
                && matches!(state, State::Trying | State::Proceeding);
            // Ringing is bounded by the leg (`ring_ms`), not by the transaction.
            let rings = machine == Machine::ClientInvite && state == State::Proceeding;
            let ends =
                steps.iter().any(|(event, step)| matches!(event, Event::Timer(_)) && step.next == State::Terminated);
            assert!(steps.is_empty() || ends || waits_for_user || rings, "{machine:?} {state:?}");
        }
    }
}
