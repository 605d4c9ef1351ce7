//! Records to bytes and back. A kind's number never changes its meaning; a new meaning is a new number.

use std::fmt;

use runtime_contract::channel::Channel;
use runtime_contract::leg::GoneCause;
use runtime_contract::phrase::Said;
use runtime_contract::record::CallId;
use runtime_contract::{FaultKind, GraphId, SiteId, Time};

use super::bytes::{Reader, put_bytes, put_u32, put_u64};
use super::{Claimed, FORMAT, Record, Reply, Started};
use crate::input::{Line, RequestId, StopReason};
use crate::output::EndCause;

const START: u8 = 1;
const LEG: u8 = 2;
const REQUEST: u8 = 3;
const REPLY: u8 = 4;
const CLAIM: u8 = 5;
const ANSWERED: u8 = 6;
const GONE: u8 = 7;
const OBSERVATION: u8 = 8;
const FAULT: u8 = 9;
const STOP: u8 = 10;
const LATE: u8 = 11;
const END: u8 = 12;
const FULL: u8 = 13;
const REVIVED: u8 = 14;
/// A claim of words: so that one of keys stays as it was.
const SAID: u8 = 15;
const GIVEN: u8 = 16;
/// Of the byte that says line and channel.
const LINE_BITS: u8 = 4;

/// The journal cannot be read from this byte on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalError {
    pub offset: usize,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journal is not readable at byte {}", self.offset)
    }
}

impl std::error::Error for JournalError {}

/// Appends one record, `dt_ms` after the one before.
pub(crate) fn encode(record: &Record, dt_ms: u64, to: &mut Vec<u8>) {
    let head = |to: &mut Vec<u8>, kind: u8| {
        to.push(kind);
        put_u64(to, dt_ms);
    };
    match record {
        Record::Start(started) => {
            head(to, START);
            put_start(to, started);
        }
        Record::Leg(bytes) => {
            head(to, LEG);
            put_bytes(to, bytes);
        }
        Record::Given(values) => {
            head(to, GIVEN);
            put_bytes(to, &postcard::to_allocvec(values).unwrap_or_default());
        }
        Record::Request { site, request, hash } => {
            head(to, REQUEST);
            put_u32(to, site.0);
            put_u32(to, request.0);
            to.extend_from_slice(&hash.to_le_bytes());
        }
        Record::Reply { request, reply } => {
            head(to, REPLY);
            put_u32(to, request.0);
            put_reply(to, reply);
        }
        Record::Claim { request, keys } => {
            head(to, if let Claimed::Words(_) = keys { SAID } else { CLAIM });
            put_u32(to, request.0);
            put_claim(to, keys);
        }
        Record::Answered => head(to, ANSWERED),
        Record::Gone(cause) => {
            head(to, GONE);
            put_gone(to, *cause);
        }
        Record::Observation(observation) => {
            head(to, OBSERVATION);
            put_bytes(to, &postcard::to_allocvec(observation).unwrap_or_default());
        }
        Record::Fault { kind, site, place } => {
            head(to, FAULT);
            put_u32(to, *kind as u32);
            put_u32(to, site.0);
            put_u64(to, place.map_or(0, |place| u64::from(place) + 1));
        }
        Record::Stop(reason) => {
            head(to, STOP);
            put_stop(to, *reason);
        }
        Record::Late(request) => {
            head(to, LATE);
            put_u32(to, request.0);
        }
        Record::Full => head(to, FULL),
        Record::Revived => head(to, REVIVED),
        Record::End(cause) => {
            head(to, END);
            put_end(to, *cause);
        }
    }
}

/// All records with their times.
pub fn decode(bytes: &[u8]) -> Result<Vec<(Time, Record)>, JournalError> {
    let mut reader = Reader::new(bytes);
    let mut records = Vec::new();
    let mut time = Time(0);
    while reader.left() > 0 {
        let offset = bytes.len() - reader.left();
        let (dt_ms, record) = read_record(&mut reader).ok_or(JournalError { offset })?;
        time = match &record {
            Record::Start(started) => started.time,
            _ => Time(time.0.saturating_add_unsigned(dt_ms)),
        };
        records.push((time, record));
    }
    Ok(records)
}

fn read_record(from: &mut Reader<'_>) -> Option<(u64, Record)> {
    let kind = from.u8()?;
    let dt_ms = from.u64()?;
    let record = match kind {
        START => Record::Start(read_start(from)?),
        LEG => Record::Leg(from.bytes()?.to_vec()),
        GIVEN => Record::Given(postcard::from_bytes(from.bytes()?).ok()?),
        REQUEST => Record::Request {
            site: SiteId(from.u32()?),
            request: RequestId(from.u32()?),
            hash: u32::from_le_bytes(from.array()?),
        },
        REPLY => Record::Reply { request: RequestId(from.u32()?), reply: read_reply(from)? },
        CLAIM => Record::Claim { request: RequestId(from.u32()?), keys: read_claim(from)? },
        SAID => Record::Claim { request: RequestId(from.u32()?), keys: Claimed::Words(read_said(from)?) },
        ANSWERED => Record::Answered,
        GONE => Record::Gone(read_gone(from)?),
        OBSERVATION => Record::Observation(postcard::from_bytes(from.bytes()?).ok()?),
        FAULT => Record::Fault {
            kind: FaultKind::from_number(from.u32()?),
            site: SiteId(from.u32()?),
            place: match from.u64()? {
                0 => None,
                place => Some(u32::try_from(place - 1).ok()?),
            },
        },
        STOP => Record::Stop(read_stop(from)?),
        LATE => Record::Late(RequestId(from.u32()?)),
        END => Record::End(read_end(from)?),
        FULL => Record::Full,
        REVIVED => Record::Revived,
        _ => return None,
    };
    Some((dt_ms, record))
}

fn put_start(to: &mut Vec<u8>, started: &Started) {
    to.push(FORMAT);
    to.extend_from_slice(&started.call.0);
    to.extend_from_slice(&started.graph.0);
    to.extend_from_slice(&started.epoch.to_le_bytes());
    to.extend_from_slice(&started.time.0.to_le_bytes());
    put_u32(to, started.flow);
    put_u32(to, started.language);
    let line = match started.line {
        Line::None => 0,
        Line::Ringing => 1,
        Line::Up => 2,
        Line::Gone => 3,
    };
    // Voice, which is 0, leaves the line's number as it is.
    to.push((started.channel as u8) << LINE_BITS | line);
    put_u64(to, started.caller.unwrap_or(0));
    put_u64(to, started.called.unwrap_or(0));
}

fn read_start(from: &mut Reader<'_>) -> Option<Started> {
    if from.u8()? != FORMAT {
        return None;
    }
    let (call, graph) = (CallId(from.array()?), GraphId(from.array()?));
    let (epoch, time) = (u64::from_le_bytes(from.array()?), Time(i64::from_le_bytes(from.array()?)));
    let (flow, language, line) = (from.u32()?, from.u32()?, from.u8()?);
    Some(Started {
        call,
        graph,
        epoch,
        time,
        flow,
        language,
        channel: Channel::from_number(line >> LINE_BITS)?,
        line: match line & ((1 << LINE_BITS) - 1) {
            0 => Line::None,
            1 => Line::Ringing,
            2 => Line::Up,
            3 => Line::Gone,
            _ => return None,
        },
        caller: Some(from.u64()?).filter(|number| *number != 0),
        called: Some(from.u64()?).filter(|number| *number != 0),
    })
}

/// 0 gone, 1 fault, 2 and up: outcome + 2.
fn put_reply(to: &mut Vec<u8>, reply: &Reply) {
    match reply {
        Reply::Gone => put_u64(to, 0),
        Reply::Fault(kind) => {
            put_u64(to, 1);
            put_u32(to, *kind as u32);
        }
        Reply::Result { outcome, payload } => {
            put_u64(to, u64::from(*outcome) + 2);
            match payload {
                Some(value) => put_bytes(to, &postcard::to_allocvec(value).unwrap_or_default()),
                None => put_u64(to, 0),
            }
        }
    }
}

fn read_reply(from: &mut Reader<'_>) -> Option<Reply> {
    Some(match from.u64()? {
        0 => Reply::Gone,
        1 => Reply::Fault(FaultKind::from_number(from.u32()?)),
        code => Reply::Result {
            outcome: u32::try_from(code - 2).ok()?,
            payload: match from.bytes()? {
                [] => None,
                bytes => Some(postcard::from_bytes(bytes).ok()?),
            },
        },
    })
}

/// Private: 0 and the count. Keys: their number + 1, then each with its distance from the one before.
fn put_claim(to: &mut Vec<u8>, claimed: &Claimed) {
    match claimed {
        Claimed::Private(count) => {
            put_u64(to, 0);
            put_u32(to, *count);
        }
        Claimed::Words(said) => put_said(to, *said),
        Claimed::Keys(keys) => {
            put_u64(to, keys.len() as u64 + 1);
            let mut before = 0;
            for (key, offset_ms) in keys {
                to.push(*key as u8);
                put_u32(to, offset_ms.saturating_sub(before));
                before = *offset_ms;
            }
        }
    }
}

fn read_claim(from: &mut Reader<'_>) -> Option<Claimed> {
    let count = from.u64()?;
    if count == 0 {
        return Some(Claimed::Private(from.u32()?));
    }
    let mut keys = Vec::new();
    let mut offset_ms = 0u32;
    for _ in 1..count {
        let key = char::from(from.u8()?);
        offset_ms = offset_ms.checked_add(from.u32()?)?;
        keys.push((key, offset_ms));
    }
    Some(Claimed::Keys(keys))
}

/// 0 for no phrase, else choice + 1, language and phrase.
fn put_said(to: &mut Vec<u8>, said: Option<Said>) {
    put_u64(to, said.map_or(0, |said| u64::from(said.choice) + 1));
    if let Some(said) = said {
        put_u32(to, said.language);
        put_u32(to, said.phrase);
    }
}

fn read_said(from: &mut Reader<'_>) -> Option<Option<Said>> {
    Some(match from.u64()? {
        0 => None,
        choice => Some(Said { choice: u32::try_from(choice - 1).ok()?, language: from.u32()?, phrase: from.u32()? }),
    })
}

fn put_gone(to: &mut Vec<u8>, cause: GoneCause) {
    to.push(match cause {
        GoneCause::RemoteHungUp => 0,
        GoneCause::Cancelled => 1,
        GoneCause::NoAck => 2,
        GoneCause::LocalHungUp => 3,
        GoneCause::Refused(_) => 4,
        GoneCause::NoAnswer => 5,
        GoneCause::NoCommonMedia => 6,
        GoneCause::Failed => 7,
        GoneCause::Transferred => 8,
        GoneCause::Unreachable => 9,
    });
    if let GoneCause::Refused(status) = cause {
        put_u64(to, u64::from(status));
    }
}

fn read_gone(from: &mut Reader<'_>) -> Option<GoneCause> {
    Some(match from.u8()? {
        0 => GoneCause::RemoteHungUp,
        1 => GoneCause::Cancelled,
        2 => GoneCause::NoAck,
        3 => GoneCause::LocalHungUp,
        4 => GoneCause::Refused(u16::try_from(from.u64()?).ok()?),
        5 => GoneCause::NoAnswer,
        6 => GoneCause::NoCommonMedia,
        7 => GoneCause::Failed,
        8 => GoneCause::Transferred,
        9 => GoneCause::Unreachable,
        _ => return None,
    })
}

fn put_stop(to: &mut Vec<u8>, reason: StopReason) {
    to.push(match reason {
        StopReason::Drain => 0,
        StopReason::TooLong => 1,
        StopReason::Crash => 2,
    });
}

fn read_stop(from: &mut Reader<'_>) -> Option<StopReason> {
    Some(match from.u8()? {
        0 => StopReason::Drain,
        1 => StopReason::TooLong,
        2 => StopReason::Crash,
        _ => return None,
    })
}

fn put_end(to: &mut Vec<u8>, cause: EndCause) {
    match cause {
        EndCause::Returned => to.push(0),
        EndCause::HungUp => to.push(1),
        EndCause::Rejected => to.push(2),
        EndCause::Gone(cause) => {
            to.push(3);
            put_gone(to, cause);
        }
        EndCause::Fault(kind) => {
            to.push(4);
            put_u32(to, kind as u32);
        }
        EndCause::Stopped(reason) => {
            to.push(5);
            put_stop(to, reason);
        }
    }
}

fn read_end(from: &mut Reader<'_>) -> Option<EndCause> {
    Some(match from.u8()? {
        0 => EndCause::Returned,
        1 => EndCause::HungUp,
        2 => EndCause::Rejected,
        3 => EndCause::Gone(read_gone(from)?),
        4 => EndCause::Fault(FaultKind::from_number(from.u32()?)),
        5 => EndCause::Stopped(read_stop(from)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use runtime_contract::host::{Answer, HostCall, Observation};
    use runtime_contract::value::{Private, Value};
    use zeroize::Zeroizing;

    use super::*;

    fn records() -> Vec<Record> {
        let request = RequestId(300);
        vec![
            Record::Start(Started {
                call: CallId([7; 16]),
                graph: GraphId([9; 32]),
                epoch: u64::MAX,
                flow: 3,
                language: 1,
                line: Line::Ringing,
                caller: Some(8_613_800_000_000),
                called: None,
                channel: Channel::Sms,
                time: Time(1_772_000_000_000),
            }),
            Record::Leg(vec![1, 2, 3]),
            Record::Request { site: SiteId(5), request, hash: 0xdead_beef },
            Record::Observation(Observation { call: HostCall::VaultLast, answer: Answer::Text("1234".into()) }),
            Record::Claim { request, keys: Claimed::Keys(vec![('1', 0), ('#', 900)]) },
            Record::Claim { request, keys: Claimed::Private(16) },
            Record::Claim { request, keys: Claimed::Words(Some(Said { choice: 2, language: 1, phrase: 300 })) },
            Record::Claim { request, keys: Claimed::Words(None) },
            Record::Reply { request, reply: Reply::Gone },
            Record::Reply { request, reply: Reply::Fault(FaultKind::Store) },
            Record::Reply { request, reply: Reply::Result { outcome: 0, payload: None } },
            Record::Reply {
                request,
                reply: Reply::Result { outcome: 31, payload: Some(Value::Some(Box::new(Value::Text("李".into())))) },
            },
            Record::Answered,
            Record::Gone(GoneCause::Refused(486)),
            Record::Fault { kind: FaultKind::Overflow, site: SiteId(1), place: Some(0) },
            Record::Fault { kind: FaultKind::Fuel, site: SiteId(1), place: None },
            Record::Stop(StopReason::TooLong),
            Record::Late(request),
            Record::Revived,
            Record::Full,
            Record::End(EndCause::Gone(GoneCause::NoAck)),
            Record::End(EndCause::Fault(FaultKind::Index)),
            Record::End(EndCause::Stopped(StopReason::Crash)),
        ]
    }

    #[test]
    fn every_record_survives_with_its_time() {
        let mut bytes = Vec::new();
        for (n, record) in records().iter().enumerate() {
            encode(record, n as u64, &mut bytes);
        }
        let decoded = decode(&bytes).unwrap();
        assert_eq!(decoded.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>(), records());
        let elapsed: i64 = (0..records().len() as i64).sum();
        assert_eq!(decoded.last().unwrap().0, Time(1_772_000_000_000 + elapsed));
    }

    #[test]
    fn a_journal_cut_anywhere_is_an_error_or_a_prefix() {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for record in &records() {
            encode(record, 70_000, &mut bytes);
            ends.push(bytes.len());
        }
        for cut in 0..bytes.len() {
            match decode(&bytes[..cut]) {
                Ok(prefix) => assert_eq!(ends[prefix.len()], cut),
                Err(error) => assert!(ends.contains(&error.offset) && !ends.contains(&cut)),
            }
        }
    }

    #[test]
    fn a_blanked_journal_keeps_its_shape_and_loses_its_person() {
        let caller = 8_613_800_000_000_u64;
        let mut bytes = Vec::new();
        for record in &records() {
            encode(record, 70, &mut bytes);
        }
        let blanked = super::super::blank(&bytes).unwrap();
        let (before, after) = (decode(&bytes).unwrap(), decode(&blanked).unwrap());
        let shape = |records: &[(Time, Record)]| -> Vec<_> {
            records.iter().map(|(time, record)| (*time, std::mem::discriminant(record))).collect()
        };
        assert_eq!(shape(&before), shape(&after));
        let mut number = Vec::new();
        put_u64(&mut number, caller);
        for gone in [&number[..], "李".as_bytes(), b"1234"] {
            assert!(bytes.windows(gone.len()).any(|window| window == gone));
            assert!(!blanked.windows(gone.len()).any(|window| window == gone));
        }
        assert_eq!(super::super::blank(&blanked).unwrap(), blanked);
    }

    #[test]
    fn a_private_value_leaves_no_byte() {
        let private = Value::Private(Private(Zeroizing::new("4111111111111111".into())));
        let reply = Reply::Result { outcome: 0, payload: Some(private) };
        let mut bytes = Vec::new();
        encode(&Record::Reply { request: RequestId(1), reply }, 0, &mut bytes);
        assert!(!bytes.windows(4).any(|window| window == b"4111"));
    }

    #[test]
    fn the_common_records_are_small() {
        let size = |record: &Record| {
            let mut bytes = Vec::new();
            encode(record, 4_000, &mut bytes);
            bytes.len()
        };
        let all = records();
        assert!(size(&all[0]) <= 120, "{}", size(&all[0]));
        assert!(size(&all[2]) <= 10, "{}", size(&all[2]));
        assert!(size(&all[8]) <= 8, "{}", size(&all[8]));
    }
}
