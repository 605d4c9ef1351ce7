//! Stretches of time: what they have together, what one has and another lacks.

use runtime_contract::time::Time;

/// In order, and they do not meet.
pub(super) type Times = Vec<(Time, Time)>;

pub(super) fn union(one: &Times, other: &Times) -> Times {
    let mut all: Times = one.iter().chain(other).copied().collect();
    all.sort_unstable();
    let mut found = Times::new();
    for (from, to) in all {
        match found.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => found.push((from, to)),
        }
    }
    found
}

pub(super) fn intersection(one: &Times, other: &Times) -> Times {
    let mut found = Times::new();
    let (mut a, mut b) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (a.peek(), b.peek()) {
        let (from, to) = (first.0.max(second.0), first.1.min(second.1));
        if from < to {
            found.push((from, to));
        }
        if first.1 < second.1 {
            a.next();
        } else {
            b.next();
        }
    }
    found
}

/// What of the first is in none of the second.
pub(super) fn without(one: &Times, other: &Times) -> Times {
    let mut found = Times::new();
    let mut others = other.iter().peekable();
    for (from, to) in one {
        let mut at = *from;
        while let Some((begins, ends)) = others.peek() {
            if *ends <= at {
                others.next();
                continue;
            }
            if begins >= to {
                break;
            }
            if *begins > at {
                found.push((at, *begins));
            }
            at = at.max(*ends);
            if ends > to {
                break;
            }
            others.next();
        }
        if at < *to {
            found.push((at, *to));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(list: &[(i64, i64)]) -> Times {
        list.iter().map(|(from, to)| (Time(*from), Time(*to))).collect()
    }

    #[test]
    fn stretches_of_time() {
        let one = times(&[(0, 10), (20, 30)]);
        assert_eq!(union(&one, &times(&[(5, 20), (40, 50)])), times(&[(0, 30), (40, 50)]));
        assert_eq!(intersection(&one, &times(&[(5, 25), (28, 40)])), times(&[(5, 10), (20, 25), (28, 30)]));
        assert_eq!(without(&one, &times(&[(2, 4), (8, 22), (25, 40)])), times(&[(0, 2), (4, 8), (22, 25)]));
        assert_eq!(without(&one, &times(&[(0, 10), (20, 30)])), times(&[]));
        assert_eq!(without(&one, &times(&[])), one);
    }
}
