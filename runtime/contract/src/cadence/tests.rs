//! Legal instants against a walk minute by minute, caps against counting, and the worst schedule against trying them all.

use super::*;
use crate::calendar::{DAY_MS, days_since_epoch, instant, is_zone, local, local_text};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn law(from_hour: u16, until_hour: u16, caps: Vec<Cap>) -> Law {
    Law {
        name: "test".into(),
        source: "none".into(),
        as_of: 0,
        from_minute: from_hour * 60,
        until_minute: until_hour * 60,
        ring_ms_min: None,
        caps,
        conversation_caps: vec![],
        quiet_after_conversation_ms: None,
        predictive_allowed: true,
        join_ms_max: None,
        abandoned_max: None,
        abandoned_over_ms: None,
        refusal_is_final: false,
        revocation_days_max: None,
        records_ms_min: 0,
    }
}

fn times(days: &str, from_minute: u16, until_minute: u16) -> WindowTimes {
    let mut open = days.bytes().map(|day| day != b'-');
    WindowTimes { days: std::array::from_fn(|_| open.next().unwrap()), from_minute, until_minute }
}

fn cadence(window: Vec<WindowTimes>, laws: Vec<Law>) -> Cadence {
    Cadence {
        name: "m.c".into(),
        parameters: vec![],
        purpose: "sales".into(),
        permission: 0,
        number: None,
        laws,
        window,
        zone: None,
        except: vec![],
        begin: None,
        attempts_max: 8,
        caps: vec![],
        pace: None,
        dial: None,
        message: None,
        retries: vec![],
        dispositions: vec![],
        after: vec![],
        exhausted: None,
        place: Place::default(),
    }
}

/// A generator that gives the same numbers on every machine (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A failure names its seed; with that alone in place of the range it comes again.
fn seeds(range: std::ops::Range<u64>, check: impl Fn(&mut Random)) {
    for seed in range {
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut Random(seed)))).is_err();
        assert!(!failed, "this was seed {seed}; replay it with `seeds({seed}..{}, …)`", seed + 1);
    }
}

fn at(zone: &str, date: (i16, i8, i8), minute: i64) -> Time {
    instant(days_since_epoch(date.0, date.1, date.2).unwrap(), minute * MINUTE, zone).unwrap()
}

/// As the law is read: by the clock on the wall, one instant by itself.
fn wall(cadence: &Cadence, zone: Option<&str>, places: &[&str], time: Time) -> bool {
    let inside = |line: &WindowTimes, place: &str| {
        let (_, minute, weekday) = local(time, place).unwrap();
        line.days[usize::from(weekday)] && (line.from_minute..line.until_minute).contains(&minute)
    };
    let window = |place: &str| {
        let day = local(time, place).unwrap().0;
        !cadence.except.contains(&day) && cadence.window.iter().any(|line| inside(line, place))
    };
    let own = zone.map_or_else(|| places.iter().all(|place| window(place)), window);
    own && cadence.laws.iter().all(|law| places.iter().all(|place| inside(&law.window(), place)))
}

const ZONES: [&str; 8] = [
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "Europe/London",
    "Asia/Kathmandu",
    "America/Havana",
    "Pacific/Apia",
];

#[test]
fn the_next_legal_instant_is_what_a_walk_finds() {
    seeds(0..150, |random| {
        let minute = |random: &mut Random| random.below(97) as u16 * 15;
        let line = |random: &mut Random| WindowTimes {
            days: std::array::from_fn(|_| random.below(3) > 0),
            from_minute: minute(random),
            until_minute: minute(random),
        };
        let lines = (0..1 + random.below(3)).map(|_| line(random)).collect();
        let laws = (0..random.below(2)).map(|_| law(random.below(10) as u16, 12 + random.below(13) as u16, vec![]));
        let mut cadence = cadence(lines, laws.collect());
        // Half of them over a change of the clock.
        let zone = ZONES[random.below(8) as usize];
        let change =
            [(2026, 3, 8), (2026, 4, 5), (2026, 10, 4), (2026, 11, 1), (2026, 3, 29)][random.below(5) as usize];
        let start = at(zone, change, 0).0 - random.below(3 * 1_440) as i64 * MINUTE;
        let today = local(Time(start), zone).unwrap().0;
        cadence.except = (0..4).filter(|_| random.below(4) == 0).map(|day| today + day).collect();
        let mut places = vec![zone];
        places.extend((0..random.below(3)).map(|_| ZONES[random.below(8) as usize]));
        let own = (random.below(2) == 0).then_some(zone);
        let legal = Legal::new(&cadence, own, &places).unwrap();
        let walk = || (0..5 * 1_440).map(|minute| Time(start + minute * MINUTE));
        let mut next = legal.next(Time(start));
        for time in walk() {
            let open = wall(&cadence, own, &places, time);
            assert_eq!(legal.is_legal(time), open, "{} in {places:?}: {cadence:?}", local_text(time, zone));
            // All edges lie on whole minutes, so no opening is passed over.
            assert_eq!(next == Some(time), open, "{} in {places:?}: {next:?}", local_text(time, zone));
            next = if open { legal.next(Time(time.0 + MINUTE)) } else { next };
        }
    });
}

#[test]
fn an_hour_that_is_left_out_is_never_open_and_one_that_comes_twice_is_open_twice() {
    let opens = |zone: &str, window: WindowTimes, from: Time, count: usize| {
        let legal = Legal::new(&cadence(vec![window], vec![]), None, &[zone]).unwrap();
        let (mut found, mut from) = (Vec::new(), from);
        while found.len() < count {
            let open = legal.next(from).unwrap();
            found.push(local_text(open, zone));
            from = open;
            while legal.is_legal(from) {
                from = Time(from.0 + MINUTE);
            }
        }
        found
    };
    // New York goes from 02:00 to 03:00 on 8 March, and from 02:00 back to 01:00 on 1 November 2026.
    let york = "America/New_York";
    let (march, november) = (at(york, (2026, 3, 8), 0), at(york, (2026, 11, 1), 0));
    assert_eq!(opens(york, times("1111111", 135, 165), march, 1), ["2026-03-09 02:15:00"]);
    assert_eq!(opens(york, times("1111111", 135, 300), march, 2), ["2026-03-08 03:00:00", "2026-03-09 02:15:00"]);
    let twice = ["2026-11-01 01:15:00", "2026-11-01 01:15:00", "2026-11-02 01:15:00"];
    assert_eq!(opens(york, times("1111111", 75, 105), november, 3), twice);
    // Lord Howe moves by half an hour: from 02:00 to 02:30 on 4 October, from 02:00 back to 01:30 on 5 April 2026.
    let howe = "Australia/Lord_Howe";
    let (october, april) = (at(howe, (2026, 10, 4), 0), at(howe, (2026, 4, 5), 0));
    assert_eq!(opens(howe, times("1111111", 120, 180), october, 2), ["2026-10-04 02:30:00", "2026-10-05 02:00:00"]);
    let twice = ["2026-04-05 01:40:00", "2026-04-05 01:40:00", "2026-04-06 01:40:00"];
    assert_eq!(opens(howe, times("1111111", 100, 115), april, 3), twice);
    // The day counted is 25 hours long in New York, and 23 in March.
    let day = |time| {
        let legal = Legal::new(&cadence(vec![times("1111111", 0, 1_440)], vec![]), None, &[york]).unwrap();
        let (first, next) = legal.days_of(Time(time + 12 * HOUR)).next().unwrap();
        (next - first) / HOUR
    };
    assert_eq!((day(march.0), day(november.0), day(march.0 + 2 * DAY_MS)), (23, 25, 24));
}

#[test]
fn a_person_is_called_where_all_places_agree() {
    let wide = cadence(vec![times("1111111", 0, 1_440)], vec![law(8, 21, vec![])]);
    // A number of Indiana: Chicago, or New York.
    let places = ["America/Chicago", "America/New_York"];
    let legal = Legal::new(&wide, None, &places).unwrap();
    let monday = (2026, 3, 2);
    let york = |minute| at("America/New_York", monday, minute);
    assert_eq!(legal.next(york(8 * 60)), Some(york(9 * 60)), "eight in Chicago");
    assert!(legal.is_legal(Time(york(21 * 60).0 - 1)) && !legal.is_legal(york(21 * 60)), "nine in New York");
    // Its own zone is the window's alone; the law holds wherever the number may lie.
    let mut own = wide.clone();
    own.window = vec![times("111111-", 9 * 60, 20 * 60)];
    let legal = Legal::new(&own, Some("America/Chicago"), &places).unwrap();
    let chicago = |minute| at("America/Chicago", monday, minute);
    assert_eq!(legal.next(chicago(0)), Some(chicago(9 * 60)));
    assert!(legal.is_legal(Time(chicago(20 * 60).0 - 1)) && !legal.is_legal(chicago(20 * 60)));
    assert_eq!(legal.days_of(chicago(600)).count(), 1);
    // A morning in New York is a night in Guam.
    let mornings = cadence(vec![times("1111111", 0, 1_440)], vec![law(8, 12, vec![])]);
    let far = Legal::new(&mornings, None, &["Pacific/Guam", "America/New_York"]).unwrap();
    assert_eq!(far.next(york(0)), None);
    assert!(Legal::new(&wide, None, &["Europe/Nowhere"]).is_none() && Legal::new(&wide, None, &[]).is_none());
    assert!(ZONES.into_iter().all(is_zone));
}

#[test]
fn a_window_that_never_opens_is_found_out() {
    let next = |cadence: &Cadence| {
        let legal = Legal::new(cadence, None, &["America/New_York"]).unwrap();
        legal.next(at("America/New_York", (2026, 3, 2), 0))
    };
    assert_eq!(next(&cadence(vec![times("-------", 540, 1_200)], vec![])), None);
    assert_eq!(next(&cadence(vec![times("1111111", 540, 540)], vec![])), None);
    assert_eq!(next(&cadence(vec![times("1111111", 1_300, 1_400)], vec![law(8, 21, vec![])])), None);
    let sundays = cadence(vec![times("------1", 540, 1_200)], vec![law(8, 21, vec![])]);
    assert_eq!(next(&sundays), Some(at("America/New_York", (2026, 3, 8), 540)));
    // Only the part that both have is left, and holidays are not.
    let mut late = cadence(vec![times("1111111", 1_200, 1_400)], vec![law(8, 21, vec![])]);
    late.except = vec![days_since_epoch(2026, 3, 2).unwrap(), days_since_epoch(2026, 3, 3).unwrap()];
    assert_eq!(next(&late), Some(at("America/New_York", (2026, 3, 4), 1_200)));
    assert_eq!(law(8, 21, vec![]).outside(&late.window), Some(&late.window[0]));
    assert_eq!(law(8, 21, vec![]).outside(&[times("1111111", 480, 1_260)]), None);
    assert_eq!(
        law(9, 21, vec![]).outside(&[times("1-----1", 540, 600), times("1------", 539, 600)]).map(|l| l.from_minute),
        Some(539)
    );
}

#[test]
fn one_more_fits_when_counting_says_so() {
    let day = |at: i64| [(at.div_euclid(DAY_MS) * DAY_MS, (at.div_euclid(DAY_MS) + 1) * DAY_MS)];
    let cap = |count, per| Cap { count, per };
    let rolling = |count| cap(count, Per::Rolling { ms: DAY_MS as u64 });
    assert_eq!(rolling(3).next(&[0, 5, 10], 11, []), Some(DAY_MS), "the end is not included");
    assert_eq!(rolling(3).next(&[0, 5, 10], DAY_MS, []), Some(DAY_MS));
    assert_eq!(rolling(3).next(&[5, 10], 11, []), Some(11));
    assert_eq!(rolling(0).next(&[], 11, []), None);
    assert_eq!(cap(2, Per::Day).next(&[1, 2], 3, day(3)), Some(DAY_MS));
    assert_eq!(cap(2, Per::Day).next(&[1, 2], DAY_MS, day(DAY_MS)), Some(DAY_MS));
    seeds(0..300, |random| {
        let mut made: Vec<i64> = (0..random.below(12)).map(|_| random.below(96) as i64 * HOUR).collect();
        made.sort_unstable();
        let from = made.last().copied().unwrap_or(0);
        let per = [Per::Day, Per::Rolling { ms: (1 + random.below(60)) * HOUR as u64 }][random.below(2) as usize];
        let cap = cap(1 + random.below(5) as u32, per);
        let room = |at: i64| {
            let inside = made.iter().filter(|made| match per {
                Per::Day => made.div_euclid(DAY_MS) == at.div_euclid(DAY_MS),
                Per::Rolling { ms } => at - **made < ms as i64,
            });
            inside.count() < cap.count as usize
        };
        let counted = (from..).step_by(HOUR as usize).find(|at| room(*at));
        assert_eq!(cap.next(&made, from, day(from)), counted, "{cap:?} {made:?}");
    });
}

fn rolling(count: u32, hours: i64) -> Cap {
    Cap { count, per: Per::Rolling { ms: (hours * HOUR) as u64 } }
}

fn a_day(count: u32) -> Cap {
    Cap { count, per: Per::Day }
}

/// A ladder for each outcome, in order; and an arm that says `retry at`.
fn arms(plan: &Cadence, at_once: bool) -> Vec<Again> {
    let outcomes = [Outcome::Busy, Outcome::Unanswered];
    let ladders = (0..).zip(outcomes).take(plan.retries.len());
    let ladders = ladders.map(|(ladder, outcome)| Again { outcome, ladder: Some(ladder) });
    ladders.chain(at_once.then_some(Again { outcome: Outcome::Person, ladder: None })).collect()
}

fn worst_here(plan: &Cadence, at_once: bool) -> Option<Violation> {
    worst(plan, &arms(plan, at_once), &Clock::Place)
}

fn clocks(found: &Violation) -> Vec<(i64, i64)> {
    found.clocks().map(|(own, _)| own).collect()
}

#[test]
fn eight_attempts_against_three_in_a_day_are_refused_with_their_instants() {
    let florida = law(8, 20, vec![rolling(3, 24)]);
    let mut plan = cadence(vec![times("111111-", 540, 1_200)], vec![law(8, 21, vec![]), florida]);
    plan.retries = vec![vec![15 * MINUTE as u64], vec![4 * HOUR as u64, DAY_MS as u64]];
    let found = worst_here(&plan, false).unwrap();
    assert_eq!((found.law, found.cap), (1, rolling(3, 24)));
    assert_eq!(clocks(&found), [(0, 540), (0, 555), (0, 570), (0, 585)]);
    // Two a day are four in a night.
    plan.caps = vec![a_day(2)];
    let found = worst_here(&plan, false).unwrap();
    assert_eq!(clocks(&found), [(0, 1_184), (0, 1_199), (1, 540), (1, 555)]);
    // The cap itself, fewer attempts, or longer delays are within it.
    assert_eq!(worst_here(&Cadence { caps: vec![rolling(3, 24)], ..plan.clone() }, false), None);
    assert_eq!(worst_here(&Cadence { caps: vec![a_day(1)], ..plan.clone() }, false), None);
    assert_eq!(worst_here(&Cadence { attempts_max: 3, ..plan.clone() }, false), None);
    let ladder = |hours: &[i64]| hours.iter().map(|hours| (hours * HOUR) as u64).collect::<Vec<_>>();
    plan.caps.clear();
    plan.retries = vec![ladder(&[4, 24, 72])];
    assert_eq!(worst_here(&plan, false), None);
    plan.retries = vec![ladder(&[24, 4])];
    assert!(worst_here(&plan, false).is_some(), "every retry but the first is four hours");
    // `retry at` may be now.
    plan.retries = vec![ladder(&[24])];
    let found = worst_here(&plan, true).unwrap();
    assert_eq!(clocks(&found), [(0, 540); 4]);
    plan.retries.clear();
    assert_eq!(worst_here(&plan, false), None, "nothing is tried again");
    plan.laws[1].caps = vec![Cap { count: 0, per: Per::Day }];
    plan.retries = vec![ladder(&[24])];
    assert_eq!(worst_here(&plan, false).map(|found| found.instants.len()), Some(1), "not one is allowed");
}

/// Whether some schedule breaks the cap: every start on the half hour, every order of arms. The person's clock is so far
/// ahead of the window's.
fn tried(plan: &Cadence, cap: Cap, ahead: i64) -> bool {
    fn follow(
        plan: &Cadence,
        (cap, ahead): (Cap, i64),
        week: &[bool],
        made: &mut Vec<i64>,
        rungs: &mut [usize],
    ) -> bool {
        let (first, last) = (made[0], made[made.len() - 1]);
        let inside = match cap.per {
            Per::Day => (first + ahead).div_euclid(DAY_MS) == (last + ahead).div_euclid(DAY_MS),
            Per::Rolling { ms } => last - first < ms as i64,
        };
        if !inside || made.len() > cap.count as usize {
            return inside;
        }
        let room = |at: i64| {
            plan.caps.iter().all(|own| {
                let inside = made.iter().filter(|made| match own.per {
                    Per::Day => made.div_euclid(DAY_MS) == at.div_euclid(DAY_MS),
                    Per::Rolling { ms } => at - **made < ms as i64,
                });
                inside.count() < own.count as usize
            })
        };
        let step = HOUR / 2;
        let mut choices = Vec::new();
        for (arm, ladder) in plan.retries.iter().enumerate() {
            let delay = ladder[rungs[arm].min(ladder.len() - 1)] as i64;
            let mut halves = (last + delay..last + delay + 8 * DAY_MS).step_by(step as usize);
            let open = |at: i64| week[(at / step) as usize % week.len()];
            choices.extend(halves.find(|at| open(*at) && room(*at)).map(|at| (arm, at)));
        }
        choices.into_iter().any(|(arm, at)| {
            rungs[arm] += 1;
            made.push(at);
            let found = follow(plan, (cap, ahead), week, made, rungs);
            made.pop();
            rungs[arm] -= 1;
            found
        })
    }
    let open = |half: i64| {
        let (day, minute) = (half / 48, (half % 48 * 30) as u16);
        let inside =
            |line: &WindowTimes| line.days[day as usize] && (line.from_minute..line.until_minute).contains(&minute);
        plan.window.iter().any(inside) && inside(&plan.laws[0].window())
    };
    let week: Vec<bool> = (0..7 * 48).map(open).collect();
    (0..7 * 48)
        .filter(|half| week[*half as usize])
        .any(|half| follow(plan, (cap, ahead), &week, &mut vec![half * HOUR / 2], &mut vec![0; plan.retries.len()]))
}

#[test]
fn the_worst_schedule_is_at_least_as_bad_as_all_that_can_be_tried_and_none_is_made_up() {
    seeds(0..400, |random| {
        let hours = |random: &mut Random, most: u64| (1 + random.below(most)) as i64;
        let from = random.below(12) as u16 * 60;
        let days = std::array::from_fn(|day| day == 0 || random.below(4) > 0);
        let window = WindowTimes { days, from_minute: from, until_minute: from + 60 * hours(random, 12) as u16 };
        let cap = |random: &mut Random, count: u64| match random.below(2) {
            0 => a_day(1 + random.below(count) as u32),
            _ => rolling(1 + random.below(count) as u32, hours(random, 60)),
        };
        let mut plan = cadence(vec![window], vec![law(0, 24, vec![cap(random, 4)])]);
        plan.caps = (0..random.below(2)).map(|_| cap(random, 3)).collect();
        let mut ladder = |steps: u64| {
            let mut delays: Vec<u64> = (0..steps).map(|_| (hours(random, 30) * HOUR) as u64).collect();
            delays.sort_unstable();
            delays
        };
        plan.retries = vec![ladder(1), ladder(2)];
        let cap = plan.laws[0].caps[0];
        // In Shanghai every whole hour is that of somebody somewhere.
        let (clock, ahead) = match random.below(2) {
            0 => (Clock::Place, 0),
            _ => (Clock::Zone("Asia/Shanghai".into()), (random.below(24) as i64 - 12) * HOUR),
        };
        let found = worst(&plan, &arms(&plan, false), &clock);
        assert!(found.is_some() || !tried(&plan, cap, ahead), "{ahead} {plan:#?}");
        let Some(found) = found else { return };
        assert_eq!((found.instants.len(), found.arms.len()), (cap.count as usize + 1, cap.count as usize));
        let days: Vec<i64> = found.clocks().map(|(_, (day, _))| day).collect();
        assert!(cap.per != Per::Day || days.iter().all(|day| *day == days[0]), "{found:?} {plan:#?}");
        let shortest = plan.retries.iter().filter_map(|ladder| ladder.first()).min().unwrap();
        for (place, at) in found.instants.iter().enumerate() {
            let (day, minute) = (at.div_euclid(DAY_MS).rem_euclid(7), at.rem_euclid(DAY_MS) / MINUTE);
            assert!(
                window.days[day as usize]
                    && (i64::from(window.from_minute)..i64::from(window.until_minute)).contains(&minute)
            );
            let made = &found.instants[..place];
            let days = [(at.div_euclid(DAY_MS) * DAY_MS, (at.div_euclid(DAY_MS) + 1) * DAY_MS)];
            assert!(plan.caps.iter().all(|own| own.next(made, *at, days) == Some(*at)));
            assert!(made.last().is_none_or(|before| at - before >= *shortest as i64));
        }
        let one_ladder = Cadence { retries: vec![plan.retries[0].clone()], ..plan.clone() };
        let fewer = worst(&one_ladder, &arms(&one_ladder, false), &clock);
        let elsewhere = |fewer: &Violation| found.ahead != fewer.ahead;
        let span = |found: &Violation| found.instants.iter().max().zip(found.instants.iter().min()).map(|(a, b)| a - b);
        assert!(
            fewer.is_none_or(|fewer| elsewhere(&fewer) || span(&found) <= span(&fewer)),
            "another arm only adds schedules"
        );
    });
}

#[test]
fn days_of_the_law_are_those_of_the_person_and_not_of_the_window() {
    let house = law(8, 22, vec![a_day(3)]);
    let mut plan = cadence(vec![times("1111111", 480, 1_320)], vec![house]);
    (plan.retries, plan.caps) = (vec![vec![10 * MINUTE as u64]], vec![a_day(3)]);
    let in_zone = |plan: &Cadence, clock: Clock| worst(plan, &arms(plan, false), &clock);
    assert_eq!(in_zone(&plan, Clock::Place), None);
    let found = in_zone(&plan, Clock::Zone("Asia/Shanghai".into())).unwrap();
    let (own, theirs): (Vec<_>, Vec<_>) = found.clocks().unzip();
    assert!(own.first().unwrap().0 < own.last().unwrap().0, "two days of the window");
    assert!(theirs.iter().all(|(day, minute)| *day == theirs[0].0 && (480..1_320).contains(minute)), "{theirs:?}");
    assert!(in_zone(&plan, Clock::Unknown).is_some());
    // A window that no place's hours cut in two, and the cap in any 24 hours.
    let short = Cadence { window: vec![times("1111111", 540, 1_080)], ..plan.clone() };
    assert_eq!(in_zone(&short, Clock::Unknown), None);
    plan.caps = vec![rolling(3, 24)];
    assert_eq!(in_zone(&plan, Clock::Unknown), None);
}

#[test]
fn conversations_follow_each_other_by_the_arm_of_the_person_alone() {
    let mut debt = law(8, 22, vec![]);
    debt.conversation_caps = vec![a_day(2)];
    let mut plan = cadence(vec![times("1111111", 540, 1_200)], vec![debt]);
    plan.retries = vec![vec![10 * MINUTE as u64], vec![HOUR as u64]];
    let arm = |outcome, ladder| Again { outcome, ladder: Some(ladder) };
    let both = |person| vec![arm(Outcome::Busy, 0), arm(Outcome::Person, person)];
    let found = worst(&plan, &both(1), &Clock::Place).unwrap();
    assert_eq!((found.of, &found.arms[..]), (Counted::Conversations, &[1, 1][..]));
    assert_eq!(clocks(&found), [(0, 540), (0, 600), (0, 660)]);
    assert_eq!(worst(&plan, &[arm(Outcome::Busy, 0)], &Clock::Place), None, "a conversation ends it");
    plan.retries = vec![vec![10 * MINUTE as u64], vec![6 * HOUR as u64]];
    assert_eq!(worst(&plan, &both(1), &Clock::Place), None);
    // Quiet after a conversation.
    plan.laws[0].quiet_after_conversation_ms = Some(7 * DAY_MS as u64);
    let found = worst(&plan, &both(1), &Clock::Place).unwrap();
    assert_eq!((found.of, found.instants.len()), (Counted::Quiet, 2));
    plan.retries[1] = vec![7 * DAY_MS as u64];
    assert_eq!(worst(&plan, &both(1), &Clock::Place), None);
}
