//! How well packets of the far side arrive: loss and jitter as RFC 3550 counts them (§6.4.1, §A.1, §A.3, §A.8).

use runtime_contract::time::Tick;

use crate::rtp::Header;

/// A sequence number so far ahead is still of the same stream, and so far behind only late (RFC 3550 §A.1).
const DROPOUT_MAX: u16 = 3_000;
const MISORDER_MAX: u16 = 100;
/// Nanoseconds of one sample at 8 kHz.
const SAMPLE_NS: u64 = 125_000;

/// One source. Arrival is the tick of the visit in which a packet is read, so jitter below its pace is that of the
/// visit.
#[derive(Clone, Copy, Debug)]
pub struct Reception {
    pub ssrc: u32,
    /// Extended by its wraps.
    base: u32,
    highest: u32,
    received: u64,
    /// The number that would make a jump the beginning of a new count.
    bad: Option<u16>,
    /// Of sources and counts that are over.
    earlier: Totals,
    /// At the last report.
    reported: Totals,
    transit: Option<u32>,
    /// 16ths of a sample.
    jitter: u32,
    jitter_max: u32,
    jitter_sum: u64,
    jitter_count: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub expected: u64,
    pub received: u64,
}

impl Totals {
    /// Negative when more came than were sent: some came twice.
    pub fn lost(self) -> i64 {
        self.expected as i64 - self.received as i64
    }
}

impl Reception {
    pub fn new(header: &Header) -> Reception {
        let base = u32::from(header.sequence);
        Reception {
            ssrc: header.ssrc,
            base,
            highest: base,
            received: 0,
            bad: None,
            earlier: Totals::default(),
            reported: Totals::default(),
            transit: None,
            jitter: 0,
            jitter_max: 0,
            jitter_sum: 0,
            jitter_count: 0,
        }
    }

    /// An accepted packet. `paced`: its timestamp is that of its sending, as with audio.
    pub fn handle_packet(&mut self, now: Tick, header: &Header, paced: bool) {
        if header.ssrc != self.ssrc {
            // Key events as a stream of their own beside the audio, which is what is measured.
            if !paced {
                return;
            }
            let totals = self.totals();
            self.begin(header, totals);
            self.ssrc = header.ssrc;
        }
        self.count(header);
        if paced {
            self.time(now, header.timestamp);
        }
    }

    fn begin(&mut self, header: &Header, earlier: Totals) {
        self.base = u32::from(header.sequence);
        self.highest = self.base;
        self.received = 0;
        self.bad = None;
        self.transit = None;
        self.earlier = earlier;
    }

    fn count(&mut self, header: &Header) {
        let ahead = header.sequence.wrapping_sub(self.highest as u16);
        if ahead < DROPOUT_MAX {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
            self.bad = None;
        } else if ahead <= u16::MAX - MISORDER_MAX {
            // Two in a row: the far side restarted its count.
            if self.bad != Some(header.sequence) {
                self.bad = Some(header.sequence.wrapping_add(1));
                return;
            }
            let totals = self.totals();
            self.begin(header, totals);
        }
        self.received += 1;
    }

    fn time(&mut self, now: Tick, timestamp: u32) {
        let transit = ((now.0 / SAMPLE_NS) as u32).wrapping_sub(timestamp);
        if let Some(last) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs().min(u32::MAX >> 5);
            self.jitter = self.jitter.saturating_add(difference).saturating_sub((self.jitter + 8) >> 4);
            self.jitter_max = self.jitter_max.max(self.jitter);
            self.jitter_sum = self.jitter_sum.saturating_add(u64::from(self.jitter));
            self.jitter_count += 1;
        }
    }

    pub fn totals(&self) -> Totals {
        let expected = u64::from(self.highest.wrapping_sub(self.base)) + 1;
        Totals { expected: self.earlier.expected + expected, received: self.earlier.received + self.received }
    }

    pub fn highest_sequence(&self) -> u32 {
        self.highest
    }

    /// In samples.
    pub fn jitter(&self) -> u32 {
        self.jitter >> 4
    }

    /// Mean and greatest of the call.
    pub fn jitter_ms(&self) -> (u32, u32) {
        let mean = self.jitter_sum.checked_div(self.jitter_count).unwrap_or(0);
        (((mean + 64) / 128) as u32, (self.jitter_max + 64) / 128)
    }

    /// 256ths of the packets since the last call that were lost.
    pub fn take_fraction_lost(&mut self) -> u8 {
        let now = self.totals();
        let expected = now.expected.saturating_sub(self.reported.expected);
        let lost = now.lost() - self.reported.lost();
        self.reported = now;
        if expected == 0 || lost <= 0 { 0 } else { (lost as u64 * 256 / expected).min(255) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 1 }
    }

    fn at(ms: u64) -> Tick {
        Tick(0).plus_ms(ms)
    }

    fn hear(numbers: impl IntoIterator<Item = u16>) -> Reception {
        let mut numbers = numbers.into_iter();
        let first = header(numbers.next().unwrap(), 0);
        let mut reception = Reception::new(&first);
        reception.handle_packet(at(0), &first, true);
        for (n, number) in (1..).zip(numbers) {
            reception.handle_packet(at(n * 20), &header(number, n as u32 * 160), true);
        }
        reception
    }

    #[test]
    fn losses_are_counted_through_wraps_and_disorder() {
        let totals = |numbers: &[u16]| {
            let totals = hear(numbers.iter().copied()).totals();
            (totals.expected, totals.received)
        };
        assert_eq!(totals(&[1, 2, 3]), (3, 3));
        assert_eq!(totals(&[1, 2, 5]), (5, 3));
        assert_eq!(totals(&[0xfffe, 0xffff, 0, 1]), (4, 4));
        assert_eq!(totals(&[1, 3, 2, 4]), (4, 4));
        assert_eq!(totals(&[1, 2, 2, 3]), (3, 4));
        assert_eq!(totals(&[1, 2, 30_000, 30_001, 30_002]), (4, 4), "a restart is no loss");
        assert_eq!(totals(&[1, 2, 30_000, 3]), (3, 3), "a stray packet neither");
        assert_eq!(hear([1, 2, 0xfff0 / 2]).totals().lost(), 0);
    }

    #[test]
    fn the_fraction_is_that_since_the_last_report() {
        let mut reception = hear([1, 2, 5, 6]);
        assert_eq!(reception.take_fraction_lost(), (2 * 256 / 6) as u8);
        assert_eq!(reception.take_fraction_lost(), 0);
        reception.handle_packet(at(100), &header(8, 800), true);
        assert_eq!(reception.take_fraction_lost(), 128);
    }

    #[test]
    fn jitter_follows_the_formula() {
        let mut reception = hear([1]);
        // Ten ms late and early in turns: |D| is 10 ms each time.
        for n in 1..400u64 {
            let late = if n % 2 == 1 { 10 } else { 0 };
            reception.handle_packet(at(n * 20 + late), &header(1 + n as u16, n as u32 * 160), true);
        }
        assert!((79..=81).contains(&reception.jitter()), "{}", reception.jitter());
        assert_eq!(reception.jitter_ms().1, 10);
        assert!(hear(1..200).jitter_ms() == (0, 0));
    }

    #[test]
    fn another_source_goes_on_with_the_count() {
        let mut reception = hear([1, 2, 5]);
        let other = Header { ssrc: 2, ..header(900, 5) };
        reception.handle_packet(at(70), &other, false);
        assert_eq!((reception.totals().expected, reception.totals().received, reception.ssrc), (5, 3, 1), "keys alone");
        reception.handle_packet(at(80), &other, true);
        assert_eq!((reception.totals().expected, reception.totals().received, reception.ssrc), (6, 4, 2));
    }
}
