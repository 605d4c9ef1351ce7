//! States of calls, what leads from one to the other, and few ways through them that come by all marks. What a state or a
//! choice is, it does not know.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Before any call, and behind all.
pub(super) const BEFORE: u32 = 0;
pub(super) const BEHIND: u32 = 1;

/// A choice at a state, where it leads, and what it comes by.
pub(super) struct Edge {
    pub choice: u16,
    pub to: u32,
    pub marks: Box<[u32]>,
}

/// A choice of a way; a goal when the way is there for what it comes by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taken {
    pub choice: u16,
    pub is_goal: bool,
}

pub(super) struct States {
    /// By number of the state.
    edges: Vec<Vec<Edge>>,
    known: BTreeMap<u64, u32>,
    /// Held by all of this, about.
    pub bytes: usize,
}

impl Default for States {
    fn default() -> States {
        States { edges: vec![Vec::new(), Vec::new()], known: BTreeMap::new(), bytes: 0 }
    }
}

impl States {
    pub fn count(&self) -> usize {
        self.edges.len()
    }

    /// Number of a state, and whether it is new.
    pub fn number(&mut self, state: u64) -> (u32, bool) {
        let next = self.edges.len() as u32;
        let number = *self.known.entry(state).or_insert(next);
        if number == next {
            self.edges.push(Vec::new());
            self.bytes += size_of::<Vec<Edge>>() + 2 * size_of::<(u64, u32)>();
        }
        (number, number == next)
    }

    pub fn add(&mut self, from: u32, edge: Edge) {
        self.bytes += size_of::<Edge>() + size_of_val(&*edge.marks);
        if let Some(edges) = self.edges.get_mut(from as usize) {
            edges.push(edge);
        }
    }

    /// From the beginning always to the nearest edge with a mark that no way came by yet, as far as that goes; then anew.
    /// At last, ways whose marks others have too are dropped.
    pub fn fewest_ways(&self) -> Vec<Vec<Taken>> {
        let mut passed = BTreeSet::new();
        let mut ways: Vec<(Vec<Taken>, BTreeSet<u32>)> = Vec::new();
        loop {
            let (mut way, mut marks, mut at) = (Vec::new(), BTreeSet::new(), BEFORE);
            while let Some(nearest) = self.nearest(at, &passed) {
                let last = nearest.len();
                for (n, edge) in (1..).zip(nearest) {
                    way.push(Taken { choice: edge.choice, is_goal: n == last });
                    marks.extend(edge.marks.iter().copied());
                    at = edge.to;
                }
                passed.extend(marks.iter().copied());
            }
            if way.is_empty() {
                break;
            }
            ways.push((way, marks));
        }
        let mut kept = ways.len();
        while let Some(at) = kept.checked_sub(1) {
            kept = at;
            let others: BTreeSet<u32> =
                ways.iter().enumerate().filter(|(n, _)| *n != at).flat_map(|(_, way)| way.1.iter().copied()).collect();
            if ways.get(at).is_some_and(|(_, marks)| marks.is_subset(&others)) {
                ways.remove(at);
            }
        }
        ways.into_iter().map(|(way, _)| way).collect()
    }

    /// The fewest edges from a state to one with a mark that is not among these, that one included.
    fn nearest(&self, from: u32, passed: &BTreeSet<u32>) -> Option<Vec<&Edge>> {
        let mut came: BTreeMap<u32, Option<(u32, &Edge)>> = BTreeMap::from([(from, None)]);
        let mut waiting = VecDeque::from([from]);
        while let Some(state) = waiting.pop_front() {
            for edge in self.edges.get(state as usize).into_iter().flatten() {
                if edge.marks.iter().any(|mark| !passed.contains(mark)) {
                    let mut way = vec![edge];
                    let mut at = state;
                    while let Some(Some((before, edge))) = came.get(&at) {
                        way.push(edge);
                        at = *before;
                    }
                    way.reverse();
                    return Some(way);
                }
                if edge.to != BEHIND && !came.contains_key(&edge.to) {
                    came.insert(edge.to, Some((state, edge)));
                    waiting.push_back(edge.to);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges as `(from, to, marks)`; states are numbered from 2 as they are named.
    fn ways(edges: &[(u32, u32, &[u32])]) -> Vec<Vec<u16>> {
        let mut states = States::default();
        (2..10).for_each(|state| assert_eq!(states.number(state.into()), (state, true)));
        for (choice, (from, to, marks)) in (0..).zip(edges) {
            states.add(*from, Edge { choice, to: *to, marks: (*marks).into() });
        }
        let ways = states.fewest_ways();
        ways.iter().map(|way| way.iter().map(|taken| taken.choice).collect()).collect()
    }

    #[test]
    fn one_way_goes_through_all_that_it_can() {
        assert_eq!(ways(&[(0, 2, &[]), (2, 2, &[7]), (2, 3, &[]), (3, 1, &[8, 9])]), [[0, 1, 2, 3]]);
    }

    #[test]
    fn what_parts_needs_a_way_each() {
        assert_eq!(ways(&[(0, 2, &[1]), (2, 1, &[2]), (2, 1, &[3])]), [[0, 1], [0, 2]]);
    }

    #[test]
    fn a_way_that_others_make_needless_is_dropped() {
        // The nearest mark is that of edge 1, which edge 3 has too.
        assert_eq!(ways(&[(0, 2, &[]), (2, 1, &[1]), (2, 3, &[]), (3, 1, &[1, 2])]), [[0, 2, 3]]);
    }
}
