//! RTCP of one leg: when a report is due, what stands in it, and what the far side's tell us (RFC 3550 §6.2–6.4).

use runtime_contract::record::Quality;
use runtime_contract::time::Tick;

use super::StreamSeed;
use super::reception::Reception;
use crate::rtcp::{self, Packet, ReportBlock, SenderInfo};
use crate::rtp::Header;

/// Shortest mean interval (RFC 3550 §6.2); half of it before the first report.
const INTERVAL_MS_MIN: u64 = 5_000;
/// 5 % of a stream of G.711 with its headers (80 kbit/s), in octets a second.
const OCTETS_PER_SECOND: u64 = 500;
/// What the randomised interval is divided by, e − 3/2 (RFC 3550 §6.3.1), in 1 000ths.
const COMPENSATION: u64 = 1_218;
/// IP and UDP headers count too (RFC 3550 §6.2).
const HEADERS_BYTES: u64 = 28;
/// A round trip beyond this is an answer to nothing that we sent (1 min).
const ROUND_TRIP_MAX: u32 = 60 << 16;

#[derive(Debug)]
pub struct Reports {
    ssrc: u32,
    cname: String,
    random: u64,
    reception: Option<Reception>,
    packets_sent: u32,
    octets_sent: u32,
    /// Packets sent when the last report left: more make us a sender.
    packets_reported: u32,
    /// When the last one left, or the leg began to report.
    last: Tick,
    due: Option<Tick>,
    is_first: bool,
    bytes_mean: u64,
    /// Middle of the NTP time of the far side's last sender report, and when it came.
    far_report: Option<(u32, Tick)>,
    /// 65 536ths of a second.
    round_trip: Option<u32>,
    remote: Option<ReportBlock>,
    packet: Vec<u8>,
}

impl Reports {
    pub fn new(seed: StreamSeed) -> Reports {
        let mut random = u64::from(seed.ssrc) << 32 | u64::from(seed.timestamp);
        // Names the session alone, and nobody (RFC 7022 §4.2).
        let cname = format!("{:016x}", next_random(&mut random));
        Reports {
            ssrc: seed.ssrc,
            cname,
            random,
            reception: None,
            packets_sent: 0,
            octets_sent: 0,
            packets_reported: 0,
            last: Tick(0),
            due: None,
            is_first: true,
            bytes_mean: 100,
            far_report: None,
            round_trip: None,
            remote: None,
            packet: Vec::new(),
        }
    }

    /// An RTP packet was accepted.
    pub fn handle_rtp(&mut self, now: Tick, header: &Header, paced: bool) {
        self.reception.get_or_insert_with(|| Reception::new(header)).handle_packet(now, header, paced);
    }

    /// An RTP packet of this length was sent.
    pub fn sent(&mut self, bytes: usize) {
        self.packets_sent = self.packets_sent.wrapping_add(1);
        self.octets_sent = self.octets_sent.wrapping_add(bytes.saturating_sub(crate::rtp::HEADER_BYTES) as u32);
    }

    /// A compound packet of the far side; false when it is none.
    pub fn handle_rtcp(&mut self, now: Tick, bytes: &[u8]) -> bool {
        let Some(packets) = rtcp::parse(bytes) else { return false };
        self.weigh(bytes.len());
        for packet in packets {
            let Packet::Report { sender, blocks, .. } = packet else { continue };
            if let Some(sender) = sender {
                self.far_report = Some(((sender.ntp >> 16) as u32, now));
            }
            if let Some(block) = { blocks }.find(|block| block.ssrc == self.ssrc) {
                self.remote = Some(block);
                self.measure(now, &block);
            }
        }
        true
    }

    /// Round trip: from our report to its mention, less the time that it lay at the far side (RFC 3550 §6.4.1).
    fn measure(&mut self, now: Tick, block: &ReportBlock) {
        if block.last_report == 0 {
            return;
        }
        let round_trip = ntp_middle(now).wrapping_sub(block.last_report).wrapping_sub(block.delay);
        // Less than nothing: the far side's clock counts its delay a little too long.
        if round_trip as i32 <= 0 && (round_trip as i32) > -(1 << 16) {
            self.round_trip = Some(0);
        } else if round_trip <= ROUND_TRIP_MAX {
            self.round_trip = Some(round_trip);
        }
    }

    /// Whether a report is to be sent now; plans the next one (RFC 3550 §6.3.6).
    pub fn is_due(&mut self, now: Tick) -> bool {
        let Some(due) = self.due else {
            self.last = now;
            self.due = Some(now.plus_ms(self.interval_ms()));
            return false;
        };
        if now < due {
            return false;
        }
        let again = self.last.plus_ms(self.interval_ms());
        if again > now {
            self.due = Some(again);
            return false;
        }
        true
    }

    /// RFC 3550 §6.3.1, §A.7.
    fn interval_ms(&mut self) -> u64 {
        let members = 1 + u64::from(self.reception.is_some() || self.far_report.is_some());
        let by_rate_ms = self.bytes_mean * members * 1_000 / OCTETS_PER_SECOND;
        let min_ms = if self.is_first { INTERVAL_MS_MIN / 2 } else { INTERVAL_MS_MIN };
        let mean_ms = by_rate_ms.max(min_ms);
        let random = next_random(&mut self.random) % 1_000;
        mean_ms * (500 + random) / COMPENSATION
    }

    /// The report that is due. `timestamp`: our media clock at this moment.
    pub fn report(&mut self, now: Tick, timestamp: u32, leaves: bool) -> &[u8] {
        let is_sender = self.packets_sent != self.packets_reported;
        let (packets, octets) = (self.packets_sent, self.octets_sent);
        let sender = is_sender.then(|| SenderInfo { ntp: ntp(now), timestamp, packets, octets });
        let far_report = self.far_report;
        let block = self.reception.as_mut().map(|reception| ReportBlock {
            ssrc: reception.ssrc,
            fraction_lost: reception.take_fraction_lost(),
            lost: reception.totals().lost().clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: reception.highest_sequence(),
            jitter: reception.jitter(),
            last_report: far_report.map_or(0, |(middle, _)| middle),
            delay: far_report.map_or(0, |(_, came)| ntp_middle(now).wrapping_sub(ntp_middle(came))),
        });
        self.packet.clear();
        rtcp::write(&mut self.packet, self.ssrc, sender, block, &self.cname, leaves);
        self.weigh(self.packet.len());
        self.packets_reported = self.packets_sent;
        self.is_first = false;
        self.last = now;
        self.due = Some(now.plus_ms(self.interval_ms()));
        &self.packet
    }

    /// Mean length of a compound packet (RFC 3550 §6.3.3).
    fn weigh(&mut self, bytes: usize) {
        self.bytes_mean = (bytes as u64 + HEADERS_BYTES + 15 * self.bytes_mean) / 16;
    }

    /// How the leg went so far; `concealed`: samples that were made up.
    pub fn quality(&self, concealed: u64) -> Quality {
        let totals = self.reception.map(|reception| reception.totals()).unwrap_or_default();
        let (jitter_ms, jitter_max_ms) = self.reception.map_or((0, 0), |reception| reception.jitter_ms());
        Quality {
            received: totals.received,
            lost: totals.lost().max(0) as u64,
            jitter_ms,
            jitter_max_ms,
            round_trip_ms: self.round_trip.map(|units| ((u64::from(units) * 1_000) >> 16) as u32),
            remote_lost: self.remote.map(|block| block.lost.max(0) as u32),
            remote_jitter_ms: self.remote.map(|block| block.jitter / 8),
            concealed_ms: (concealed / 8) as u32,
        }
    }
}

/// Time since the driver began, as RFC 3550 §4 allows for who knows no time of day: seconds, and their fraction.
fn ntp(now: Tick) -> u64 {
    let (seconds, ns) = (now.0 / 1_000_000_000, now.0 % 1_000_000_000);
    (seconds << 32) | ((ns << 32) / 1_000_000_000)
}

fn ntp_middle(now: Tick) -> u32 {
    (ntp(now) >> 16) as u32
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads reports of legs that began together.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(ssrc: u32) -> Reports {
        Reports::new(StreamSeed { ssrc, sequence: 0, timestamp: ssrc })
    }

    fn at(ms: u64) -> Tick {
        Tick(0).plus_ms(ms)
    }

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc }
    }

    #[test]
    fn reports_leave_at_random_intervals_of_about_five_seconds() {
        let mut times = Vec::new();
        for ssrc in 0..40 {
            let mut reports = reports(ssrc);
            let mut last = None;
            for ms in (0..60_000).step_by(20) {
                if reports.is_due(at(ms)) {
                    let _ = reports.report(at(ms), 0, false);
                    let since = ms - last.unwrap_or(0);
                    let (least, most) = if last.is_none() { (1_000, 4_000) } else { (2_000, 8_000) };
                    assert!((least..most).contains(&since), "{since} ms");
                    times.extend(last.map(|_| since));
                    last = Some(ms);
                }
            }
        }
        let mean = times.iter().sum::<u64>() / times.len() as u64;
        assert!((4_000..6_000).contains(&mean), "{mean} ms");
        assert!(times.iter().collect::<std::collections::BTreeSet<_>>().len() > 50, "not all alike");
    }

    /// Two sides, 40 ms apart each way, every tenth packet of one of them lost.
    #[test]
    fn two_sides_measure_their_way() {
        let (mut one, mut two) = (reports(1), reports(2));
        let (mut to_one, mut to_two) = (Vec::new(), Vec::new());
        for n in 0..1_500u64 {
            let ms = n * 20;
            one.sent(172);
            if n % 10 != 5 {
                two.handle_rtp(at(ms + 40), &header(1, n as u16), true);
            }
            to_one.retain(|(when, bytes): &(u64, Vec<u8>)| *when > ms || !one.handle_rtcp(at(*when), bytes));
            to_two.retain(|(when, bytes): &(u64, Vec<u8>)| *when > ms || !two.handle_rtcp(at(*when), bytes));
            if one.is_due(at(ms)) {
                to_two.push((ms + 40, one.report(at(ms), 0, false).to_vec()));
            }
            if two.is_due(at(ms)) {
                to_one.push((ms + 40, two.report(at(ms), 0, false).to_vec()));
            }
        }
        let (sent, got) = (one.quality(0), two.quality(16));
        assert!((149..=150).contains(&got.lost), "{got:?}");
        assert_eq!((got.received, got.concealed_ms, got.jitter_ms), (1_350, 2, 0));
        assert!(sent.round_trip_ms.is_some_and(|ms| (79..=81).contains(&ms)), "{sent:?}");
        assert!(sent.remote_lost.is_some_and(|lost| lost > 100), "{sent:?}");
        assert_eq!(got.round_trip_ms, None, "a side that sends nothing is not measured by the other");
    }

    #[test]
    fn a_side_that_leaves_says_so() {
        let mut reports = reports(9);
        let packets: Vec<_> = rtcp::parse(reports.report(at(5), 0, true)).unwrap().collect();
        assert_eq!(packets.last(), Some(&Packet::Bye { ssrc: 9 }));
    }

    #[test]
    fn an_answer_to_nothing_is_not_measured() {
        let mut reports = reports(9);
        let mut bytes = Vec::new();
        let (highest_sequence, jitter, last_report, delay) = (0, 0, 0x7777_0000, 1);
        let block = ReportBlock { ssrc: 9, fraction_lost: 0, lost: 0, highest_sequence, jitter, last_report, delay };
        rtcp::write(&mut bytes, 1, None, Some(block), "x", false);
        assert!(reports.handle_rtcp(at(5_000), &bytes));
        assert_eq!(reports.quality(0).round_trip_ms, None);
        assert!(!reports.handle_rtcp(at(5_000), &bytes[1..]));
    }
}
