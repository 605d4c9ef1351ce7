//! The nearest of the names that could have been meant.

/// Longer words are never compared: nobody mistypes them, and the work grows with the square of their length.
const WORD_CHARS_MAX: usize = 64;

/// The candidate that needs the fewest changed, added, left-out or swapped letters; none where more than a third of the
/// letters would change. The first wins among equals.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(WORD_CHARS_MAX + 1).collect();
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    let allowed = (word.len() / 3).max(1);
    let near = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().take(WORD_CHARS_MAX + 1).collect();
        let distance = distance(&word, &letters);
        (distance <= allowed && distance < letters.len()).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Optimal string alignment, row by row.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_before: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&before, column + 1) + 1).min(at(&current, column) + 1);
            best = best.min(at(&before, column) + usize::from(from != to));
            let swapped = row > 0 && column > 0 && a.get(row - 1) == Some(to) && b.get(column - 1) == Some(from);
            if swapped {
                best = best.min(at(&two_before, column - 1) + 1);
            }
            current.push(best);
        }
        two_before = std::mem::replace(&mut before, current);
    }
    before.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(nearest("anwser", ["answer", "again"]), Some("answer"));
        assert_eq!(nearest("mian", ["main", "person"]), Some("main"));
        assert_eq!(nearest("客戶", ["客户"]), Some("客户"));
        assert_eq!(nearest("zzz", ["main", "person"]), None);
        assert_eq!(nearest(&"a".repeat(1000), ["main"]), None);
    }
}
