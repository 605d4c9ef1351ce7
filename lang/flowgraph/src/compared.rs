//! With which constants a program compares what comes back to it. Words that are copies of each other, from segment to
//! segment and into flows that are run, share their constants; the order in which they are copied is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use runtime_contract::SiteId;
use runtime_contract::cadence::Cadence;
use runtime_contract::compared::{Address, Compared, Origin};
use runtime_contract::drive::result_words;
use runtime_contract::host::HostCall;
use runtime_contract::program::{ProgramMeta, SiteKind};
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::NESTING_MAX;

use crate::graph::{Edge, Fact, Graph, Instruction, Segment, Terminator};

/// Tables longer than that choose among the outcomes of a menu, not among numbers.
const SWITCH_MAX: usize = 32;

/// Where a word may lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Word {
        segment: u32,
        word: u32,
    },
    /// A slot of the frame where the segment begins: slots are used again for what lives later.
    Entry {
        segment: u32,
        slot: u32,
    },
    Result {
        flow: u32,
        slot: u32,
    },
    /// What comes from outside.
    Origin {
        origin: Origin,
        slot: u32,
    },
    Fact(u8),
}

/// Places that hold copies of the same, as a forest, and what is known of each: with which constants it is compared, and
/// which it may hold.
#[derive(Default)]
struct Copies {
    parents: BTreeMap<Place, Place>,
    compared: BTreeMap<Place, BTreeSet<u64>>,
    held: BTreeMap<Place, BTreeSet<u64>>,
    /// Places that are compared with each other.
    pairs: Vec<(Place, Place)>,
    /// Texts, and where their length lies.
    lengths: Vec<(Place, Place)>,
    /// Lists, a cell of a row, and where it is copied to.
    cells: Vec<(Place, u32, Place)>,
}

impl Copies {
    fn root(&self, mut place: Place) -> Place {
        while let Some(parent) = self.parents.get(&place) {
            place = *parent;
        }
        place
    }

    fn join(&mut self, one: Place, other: Place) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.parents.insert(one, other);
            for known in [&mut self.compared, &mut self.held] {
                if let Some(moved) = known.remove(&one) {
                    known.entry(other).or_default().extend(moved);
                }
            }
        }
    }

    fn compare(&mut self, place: Place, constant: u64) {
        let root = self.root(place);
        self.compared.entry(root).or_default().insert(constant);
    }

    fn hold(&mut self, place: Place, constant: u64) {
        let root = self.root(place);
        self.held.entry(root).or_default().insert(constant);
    }

    /// What is compared with a place is compared with all that it may hold.
    fn close(&mut self) {
        for (one, other) in std::mem::take(&mut self.pairs) {
            for (one, other) in [(one, other), (other, one)] {
                let held = self.held.get(&self.root(other)).cloned().unwrap_or_default();
                held.into_iter().for_each(|constant| self.compare(one, constant));
            }
        }
    }

    /// Of roots, the payloads and cells of their lists that are copied there.
    fn addresses(&self) -> BTreeMap<Place, BTreeSet<Address>> {
        let mut addresses: BTreeMap<Place, BTreeSet<Address>> = BTreeMap::new();
        for place in self.parents.keys().chain(self.parents.values()).chain(self.compared.keys()) {
            if let Place::Origin { origin, slot } = place {
                addresses.entry(self.root(*place)).or_default().insert((*origin, vec![*slot]));
            }
        }
        for _ in 0..NESTING_MAX {
            for (list, cell, to) in &self.cells {
                let inside = addresses.get(&self.root(*list)).cloned().unwrap_or_default().into_iter();
                let inside = inside.filter(|(_, path)| path.len() <= NESTING_MAX as usize);
                let inside = inside.map(|(origin, path)| (origin, [path, vec![*cell]].concat()));
                addresses.entry(self.root(*to)).or_default().extend(inside);
            }
        }
        addresses
    }

    fn constants(&self, place: Place) -> BTreeSet<u64> {
        self.compared.get(&self.root(place)).cloned().unwrap_or_default()
    }
}

pub fn compared(graph: &Graph) -> Compared {
    let meta = &graph.meta;
    let mut copies = Copies::default();
    let mut resumed: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (site, info) in (0..).zip(&meta.sites) {
        resumed.entry(info.resume).or_default().push(site);
        if let SiteKind::Run { flow } = info.kind {
            for slot in 0..result_words(meta, flow) as u32 {
                copies.join(Place::Origin { origin: Origin::Site(SiteId(site)), slot }, Place::Result { flow, slot });
            }
        }
    }
    for (cadence, table) in (0..).zip(&meta.cadences) {
        begin(meta, cadence, table, &mut copies);
    }
    let mut reads_caller = false;
    for (number, segment) in (0..).zip(&graph.segments) {
        let flow = meta.segments.get(number as usize).copied().unwrap_or(0);
        let sites = resumed.get(&number).map_or(&[][..], Vec::as_slice);
        let mut reader = Reader {
            meta,
            number,
            flow,
            sites,
            copies: &mut copies,
            constants: BTreeMap::new(),
            sums: BTreeMap::new(),
            stored: BTreeMap::new(),
        };
        reader.segment(segment);
        let is_caller = |i: &Instruction| matches!(i, Instruction::Fact(Fact::CallerTag | Fact::CallerNumber));
        reads_caller |= segment.blocks.iter().flat_map(|block| &block.instructions).any(is_caller);
    }
    copies.close();
    let mut of_text: BTreeMap<Place, BTreeSet<u64>> = BTreeMap::new();
    for (text, length) in &copies.lengths {
        of_text.entry(copies.root(*text)).or_default().extend(copies.constants(*length));
    }
    let mut found = Compared::default();
    for (place, addresses) in copies.addresses() {
        for address in addresses {
            found.payloads.entry(address.clone()).or_default().extend(copies.constants(place));
            found.lengths.entry(address).or_default().extend(of_text.get(&place).into_iter().flatten());
        }
    }
    found.caller = reads_caller.then(|| copies.constants(Place::Fact(Fact::CallerNumber as u8)));
    found
}

/// What a cadence begins with is the parameters of all its flows.
fn begin(meta: &ProgramMeta, cadence: u32, table: &Cadence, copies: &mut Copies) {
    let words: usize = table.parameters.iter().map(|parameter| meta.types.width(&parameter.r#type)).sum();
    for number in table.flows() {
        let Some(flow) = meta.flow(number) else { continue };
        let first = RESULT_AT + result_words(meta, number) as u32;
        for slot in 0..words as u32 {
            let entry = Place::Entry { segment: flow.entry_segment, slot: first + slot };
            copies.join(Place::Origin { origin: Origin::Cadence(cadence), slot }, entry);
        }
    }
}

struct Reader<'r> {
    meta: &'r ProgramMeta,
    number: u32,
    flow: u32,
    /// That go on in this segment.
    sites: &'r [u32],
    copies: &'r mut Copies,
    /// By word.
    constants: BTreeMap<u32, u64>,
    /// Words that are a sum with a constant.
    sums: BTreeMap<u32, u64>,
    /// By slot, the words that were put there so far.
    stored: BTreeMap<u32, Vec<u32>>,
}

impl Reader<'_> {
    fn segment(&mut self, segment: &Segment) {
        let mut starts = Vec::new();
        let mut word = 0;
        for block in &segment.blocks {
            starts.push(word);
            word += block.parameters + block.instructions.iter().map(Instruction::results).sum::<u32>();
        }
        for (block, start) in segment.blocks.iter().zip(&starts) {
            let mut word = start + block.parameters;
            for instruction in &block.instructions {
                self.instruction(word, instruction);
                word += instruction.results();
            }
            self.terminator(&block.terminator, &starts);
        }
    }

    fn mailbox_at(&self) -> u32 {
        self.meta.flow(self.flow).map_or(u32::MAX, |flow| flow.mailbox_at)
    }

    fn load(&mut self, word: u32, slot: u32) {
        let own = self.place(word);
        if let Some(stored) = self.stored.get(&slot).cloned() {
            stored.into_iter().for_each(|from| self.copy(from, own));
        } else if let Some(slot) = slot.checked_sub(self.mailbox_at()) {
            self.sites
                .iter()
                .for_each(|site| self.copies.join(own, Place::Origin { origin: Origin::Site(SiteId(*site)), slot }));
        } else {
            self.copies.join(own, Place::Entry { segment: self.number, slot });
        }
    }

    fn store(&mut self, slot: u32, word: u32) {
        self.stored.entry(slot).or_default().push(word);
        let result = slot.wrapping_sub(RESULT_AT);
        if (result as usize) < result_words(self.meta, self.flow) {
            self.copy(word, Place::Result { flow: self.flow, slot: result });
        }
    }

    /// What lies in these slots lies there where the other segment begins.
    fn go_on(&mut self, to: u32, slots: impl Iterator<Item = u32>) {
        for slot in slots {
            let entry = Place::Entry { segment: to, slot };
            match self.stored.get(&slot).cloned() {
                Some(words) => words.into_iter().for_each(|word| self.copy(word, entry)),
                None => self.copies.join(Place::Entry { segment: self.number, slot }, entry),
            }
        }
    }

    fn place(&self, word: u32) -> Place {
        Place::Word { segment: self.number, word }
    }

    /// A word lies there too. Constants are many places' own, and make no copies of them.
    fn copy(&mut self, word: u32, to: Place) {
        match self.constants.get(&word) {
            Some(constant) => self.copies.hold(to, *constant),
            None => self.copies.join(self.place(word), to),
        }
    }

    /// `word` is the first that it defines.
    fn instruction(&mut self, word: u32, instruction: &Instruction) {
        let own = self.place(word);
        match instruction {
            Instruction::Constant(constant) => {
                self.constants.insert(word, *constant);
            }
            Instruction::Text(handle) => {
                self.constants.insert(word, u64::from(*handle));
            }
            Instruction::Load { slot } => self.load(word, *slot),
            Instruction::Store { slot, word } => self.store(*slot, word.0),
            Instruction::Fact(fact) => self.copy(word, Place::Fact(*fact as u8)),
            // A sum is compared with what its parts are near to.
            Instruction::Select { yes: one, no: other, .. }
            | Instruction::Arithmetic { left: one, right: other, .. } => {
                if let Some(constant) = self.constants.get(&other.0) {
                    self.sums.insert(word, *constant);
                }
                self.copy(one.0, own);
                self.copy(other.0, own);
            }
            Instruction::Compare { left, right, .. } => self.compare(left.0, right.0),
            Instruction::Host { call, arguments, .. } => match (call, arguments.as_slice()) {
                (HostCall::TextEqual | HostCall::VaultEqual, [left, right]) => self.compare(left.0, right.0),
                (HostCall::TextLength | HostCall::VaultLength, [text]) => {
                    self.copies.lengths.push((self.place(text.0), own));
                }
                (HostCall::TextLast | HostCall::TextDigits | HostCall::VaultLast, [from, ..]) => self.copy(from.0, own),
                (HostCall::ListWord | HostCall::ListText | HostCall::ListList, [list, cell]) => {
                    let cell = self.sums.get(&cell.0).map_or(0, |cell| *cell as u32);
                    self.copies.cells.push((self.place(list.0), cell, own));
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn compare(&mut self, left: u32, right: u32) {
        match (self.constants.get(&left).copied(), self.constants.get(&right).copied()) {
            (None, Some(constant)) => self.copies.compare(self.place(left), constant),
            (Some(constant), None) => self.copies.compare(self.place(right), constant),
            (None, None) => self.copies.pairs.push((self.place(left), self.place(right))),
            (Some(_), Some(_)) => {}
        }
    }

    fn terminator(&mut self, terminator: &Terminator, starts: &[u32]) {
        let mailbox = self.mailbox_at();
        match terminator {
            Terminator::Switch { word, table, .. } if table.len() <= SWITCH_MAX => {
                (0..=table.len() as u64).for_each(|constant| self.copies.compare(self.place(word.0), constant));
            }
            Terminator::Continue(to) => self.go_on(to.0, RESULT_AT..mailbox),
            Terminator::Wait(site) | Terminator::Call(site) => {
                let Some(info) = self.meta.site(*site) else { return };
                self.go_on(info.resume, info.live.iter().map(|live| live.slot));
                if let SiteKind::Run { flow } = info.kind {
                    self.hand_over(flow, mailbox);
                }
            }
            _ => {}
        }
        for Edge { block, arguments } in terminator.edges() {
            let start = starts.get(block.0 as usize).copied().unwrap_or(0);
            for (parameter, argument) in (start..).zip(arguments) {
                self.copy(argument.0, self.place(parameter));
            }
        }
    }

    /// Arguments in the mailbox are the parameters of the flow that is run.
    fn hand_over(&mut self, flow: u32, mailbox: u32) {
        let Some(callee) = self.meta.flow(flow) else { return };
        let first = RESULT_AT + result_words(self.meta, flow) as u32;
        for (slot, words) in self.stored.clone().range(mailbox..) {
            let entry = Place::Entry { segment: callee.entry_segment, slot: first + slot - mailbox };
            words.iter().for_each(|word| self.copy(*word, entry));
        }
    }
}
