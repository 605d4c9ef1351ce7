//! The same flow as an engineer would write it by hand: one `match`, compiled by rustc.

use super::flow::{A_MAX, B_MAX, CALLS, TRIES_MAX, Turn, next};

struct Call {
    state: u32,
    a: i64,
    b: i64,
    tries: i64,
}

/// A call's next request, or `None` on overflow.
fn resume(call: &mut Call, outcome: u8) -> Option<u32> {
    match call.state {
        0 => state::<0>(call, outcome),
        1 => state::<1>(call, outcome),
        2 => state::<2>(call, outcome),
        3 => state::<3>(call, outcome),
        4 => state::<4>(call, outcome),
        5 => state::<5>(call, outcome),
        6 => state::<6>(call, outcome),
        7 => state::<7>(call, outcome),
        8 => state::<8>(call, outcome),
        9 => state::<9>(call, outcome),
        10 => state::<10>(call, outcome),
        11 => state::<11>(call, outcome),
        12 => state::<12>(call, outcome),
        13 => state::<13>(call, outcome),
        14 => state::<14>(call, outcome),
        15 => state::<15>(call, outcome),
        16 => state::<16>(call, outcome),
        17 => state::<17>(call, outcome),
        18 => state::<18>(call, outcome),
        19 => state::<19>(call, outcome),
        20 => state::<20>(call, outcome),
        21 => state::<21>(call, outcome),
        22 => state::<22>(call, outcome),
        23 => state::<23>(call, outcome),
        24 => state::<24>(call, outcome),
        25 => state::<25>(call, outcome),
        26 => state::<26>(call, outcome),
        27 => state::<27>(call, outcome),
        28 => state::<28>(call, outcome),
        29 => state::<29>(call, outcome),
        30 => state::<30>(call, outcome),
        31 => state::<31>(call, outcome),
        32 => state::<32>(call, outcome),
        33 => state::<33>(call, outcome),
        34 => state::<34>(call, outcome),
        35 => state::<35>(call, outcome),
        36 => state::<36>(call, outcome),
        37 => state::<37>(call, outcome),
        38 => state::<38>(call, outcome),
        39 => state::<39>(call, outcome),
        40 => state::<40>(call, outcome),
        41 => state::<41>(call, outcome),
        42 => state::<42>(call, outcome),
        43 => state::<43>(call, outcome),
        44 => state::<44>(call, outcome),
        45 => state::<45>(call, outcome),
        46 => state::<46>(call, outcome),
        47 => state::<47>(call, outcome),
        48 => state::<48>(call, outcome),
        49 => state::<49>(call, outcome),
        50 => state::<50>(call, outcome),
        51 => state::<51>(call, outcome),
        52 => state::<52>(call, outcome),
        53 => state::<53>(call, outcome),
        54 => state::<54>(call, outcome),
        55 => state::<55>(call, outcome),
        56 => state::<56>(call, outcome),
        57 => state::<57>(call, outcome),
        58 => state::<58>(call, outcome),
        59 => state::<59>(call, outcome),
        60 => state::<60>(call, outcome),
        61 => state::<61>(call, outcome),
        62 => state::<62>(call, outcome),
        63 => state::<63>(call, outcome),
        64 => state::<64>(call, outcome),
        65 => state::<65>(call, outcome),
        66 => state::<66>(call, outcome),
        67 => state::<67>(call, outcome),
        68 => state::<68>(call, outcome),
        69 => state::<69>(call, outcome),
        70 => state::<70>(call, outcome),
        71 => state::<71>(call, outcome),
        72 => state::<72>(call, outcome),
        73 => state::<73>(call, outcome),
        74 => state::<74>(call, outcome),
        75 => state::<75>(call, outcome),
        76 => state::<76>(call, outcome),
        77 => state::<77>(call, outcome),
        78 => state::<78>(call, outcome),
        79 => state::<79>(call, outcome),
        80 => state::<80>(call, outcome),
        81 => state::<81>(call, outcome),
        82 => state::<82>(call, outcome),
        83 => state::<83>(call, outcome),
        84 => state::<84>(call, outcome),
        85 => state::<85>(call, outcome),
        86 => state::<86>(call, outcome),
        87 => state::<87>(call, outcome),
        88 => state::<88>(call, outcome),
        89 => state::<89>(call, outcome),
        90 => state::<90>(call, outcome),
        91 => state::<91>(call, outcome),
        92 => state::<92>(call, outcome),
        93 => state::<93>(call, outcome),
        94 => state::<94>(call, outcome),
        95 => state::<95>(call, outcome),
        96 => state::<96>(call, outcome),
        97 => state::<97>(call, outcome),
        98 => state::<98>(call, outcome),
        99 => state::<99>(call, outcome),
        _ => None,
    }
}

#[inline(always)]
fn state<const STATE: usize>(call: &mut Call, outcome: u8) -> Option<u32> {
    let to = match outcome {
        0 => {
            let sum = call.a.checked_add(STATE as i64 + 1)?;
            call.a = if sum > A_MAX + STATE as i64 { 0 } else { sum };
            const { next(STATE, 0) }
        }
        1 => {
            let sum = call.b.checked_add(call.a)?;
            call.b = if sum > B_MAX { 0 } else { sum };
            const { next(STATE, 1) }
        }
        2 => const { next(STATE, 2) },
        other => {
            call.tries = call.tries.checked_add(1)?;
            if call.tries < TRIES_MAX {
                return Some(STATE as u32);
            }
            if other == 3 { const { next(STATE, 3) } } else { const { next(STATE, 4) } }
        }
    };
    call.tries = 0;
    call.state = to as u32;
    Some(to as u32)
}

/// The sum of all states that calls came to.
pub fn run(turns: &[Turn], steps: usize) -> u64 {
    let mut live: Vec<Box<Call>> = (0..CALLS).map(|_| Box::new(Call { state: 0, a: 0, b: 0, tries: 0 })).collect();
    let mut sum = 0;
    for turn in turns.iter().cycle().take(steps) {
        sum += u64::from(resume(&mut live[turn.call as usize], turn.outcome).expect("no overflow"));
    }
    sum
}
