//! Texts stay texts: a word goes only into a slot, and only to an operation, of its own class. The driver moves
//! texts by the classes of slots, so a handle in a plain slot would name another text after a wait.

use runtime_contract::host::HostCall;
use runtime_contract::types::Class;

use super::Problems;
use super::segment::SEGMENTS_AT_ONCE;
use super::tables::slot_classes;
use crate::graph::{Graph, Instruction, Segment, Terminator, Word};
use crate::hash::FxHashMap;
use crate::parallel;

/// Classes of a host call's arguments and results.
pub fn host_classes(call: HostCall) -> (&'static [Class], &'static [Class]) {
    use Class::{List, Text, Vault, Word};
    match call {
        HostCall::TextJoin => (&[Text, Text], &[Text]),
        HostCall::TextEqual => (&[Text, Text], &[Word]),
        HostCall::TextLength => (&[Text], &[Word]),
        HostCall::TextLast => (&[Text, Word], &[Text]),
        HostCall::DecimalMultiply | HostCall::DecimalDivide => (&[Word, Word], &[Word]),
        HostCall::MoneyMultiply => (&[Word, Word, Word], &[Word, Word]),
        HostCall::IntToDecimal | HostCall::HoursOpen => (&[Word], &[Word]),
        HostCall::PhoneToText | HostCall::IntToText => (&[Word], &[Text]),
        HostCall::VaultLast => (&[Vault, Word], &[Text]),
        HostCall::VaultLength | HostCall::VaultCardValid => (&[Vault], &[Word]),
        HostCall::VaultEqual => (&[Vault, Text], &[Word]),
        HostCall::VaultKeep => (&[Text], &[Vault]),
        HostCall::VaultSame => (&[Vault, Vault], &[Word]),
        HostCall::ListPutWord => (&[Word], &[]),
        HostCall::ListPutText => (&[Text], &[]),
        HostCall::ListPutList => (&[List], &[]),
        HostCall::ListPutVault => (&[Vault], &[]),
        HostCall::ListMake => (&[Word], &[List]),
        HostCall::ListLength => (&[List, Word], &[Word]),
        HostCall::ListWord => (&[List, Word], &[Word]),
        HostCall::ListText => (&[List, Word], &[Text]),
        HostCall::ListList => (&[List, Word], &[List]),
        HostCall::ListVault => (&[List, Word], &[Vault]),
        HostCall::ValueToText => (&[Word, Word, Word], &[Text]),
        HostCall::DateAt => (&[Word, Word, Text], &[Word]),
        HostCall::TimeDate | HostCall::TimeClock => (&[Word, Text], &[Word]),
        HostCall::TextDigits => (&[Text], &[Text]),
        HostCall::TextCardValid => (&[Text], &[Word]),
        HostCall::PluralClass => (&[Word, Text], &[Word]),
        HostCall::CalledZone | HostCall::CalledExtension => (&[Word], &[Text]),
    }
}

pub fn check(graph: &Graph, problems: &mut Problems) {
    let slots = slot_classes(&graph.meta);
    let found = parallel::map(&graph.segments, SEGMENTS_AT_ONCE, |id, segment| {
        let flow = graph.meta.segments.get(id).copied().unwrap_or(u32::MAX);
        let Some(slots) = slots.get(flow as usize) else { return Vec::new() };
        let mut check = Check { slots, words: Vec::new(), parameters: FxHashMap::default(), found: Vec::new() };
        check.segment(segment);
        check.found
    });
    for (id, found) in found.into_iter().enumerate() {
        found.into_iter().for_each(|problem| problems.add(format!("segment {id}: {problem}")));
    }
}

struct Check<'a> {
    /// Of the slots of this flow that some wait keeps. What no wait keeps may hold anything.
    slots: &'a FxHashMap<u32, Class>,
    /// Of each word so far; `None` fits anywhere: zero, what came by the mailbox, what no wait keeps.
    words: Vec<Option<Class>>,
    /// Of each block ahead, what edges hand over.
    parameters: FxHashMap<u32, Vec<Option<Class>>>,
    found: Vec<String>,
}

impl Check<'_> {
    fn segment(&mut self, segment: &Segment) {
        self.words.push(Some(Class::Word));
        for (at, block) in (0u32..).zip(&segment.blocks) {
            if at > 0 {
                let handed = self.parameters.remove(&at).unwrap_or_default();
                self.words.extend(handed);
            }
            for instruction in &block.instructions {
                self.instruction(instruction);
            }
            self.terminator(&block.terminator);
        }
    }

    fn class(&self, word: Word) -> Option<Class> {
        self.words.get(word.0 as usize).copied().flatten()
    }

    fn expect(&mut self, word: Word, wanted: Option<Class>, place: impl FnOnce() -> String) {
        if let (Some(class), Some(wanted)) = (self.class(word), wanted)
            && class != wanted
        {
            self.found.push(format!("word {} is {class:?}, {} takes {wanted:?}", word.0, place()));
        }
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let result = match instruction {
            Instruction::Constant(0) => None,
            Instruction::Text(_) => Some(Class::Text),
            Instruction::Load { slot } => self.slots.get(slot).copied(),
            Instruction::Store { slot, word } => {
                let wanted = self.slots.get(slot).copied();
                return self.expect(*word, wanted, || format!("slot {slot}"));
            }
            Instruction::SetLanguage(_) | Instruction::Require { .. } => return,
            Instruction::Select { yes, no, .. } => self.both(self.class(*yes), self.class(*no)),
            Instruction::Host { call, arguments, .. } => {
                let (wanted, results) = host_classes(*call);
                for (word, wanted) in arguments.iter().zip(wanted) {
                    self.expect(*word, Some(*wanted), || format!("{call:?}"));
                }
                return self.words.extend(results.iter().copied().map(Some));
            }
            _ => Some(Class::Word),
        };
        self.words.push(result);
    }

    fn both(&mut self, a: Option<Class>, b: Option<Class>) -> Option<Class> {
        match (a, b) {
            (Some(a), Some(b)) if a != b => {
                self.found.push(format!("a word is either {a:?} or {b:?}"));
                None
            }
            _ => a.or(b),
        }
    }

    fn terminator(&mut self, terminator: &Terminator) {
        for edge in terminator.edges() {
            let handed: Vec<Option<Class>> = edge.arguments.iter().map(|word| self.class(*word)).collect();
            let known = self.parameters.remove(&edge.block.0);
            let joined = match known {
                None => handed,
                Some(known) => known.into_iter().zip(handed).map(|(a, b)| self.both(a, b)).collect(),
            };
            self.parameters.insert(edge.block.0, joined);
        }
    }
}
