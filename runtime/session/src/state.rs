//! What decides how a call goes on, for whoever explores calls: two that wait with the same state take the same ways. It
//! does not know who compares.

use std::hash::{Hash, Hasher};

use runtime_contract::arena::Handle;
use runtime_contract::drive::frames;
use runtime_contract::stack::{Phase, RESULT_AT};
use runtime_contract::types::Class;

use crate::session::Session;

impl Session {
    /// Index of the caller's language.
    pub fn language(&self) -> u32 {
        self.stack.header.language as u32
    }

    /// Of each frame the site and what is read behind it, by content; the line, the caller and what he typed ahead. Fuel,
    /// time, and how much of a bound is used are left out.
    pub fn hash_state(&self, state: &mut impl Hasher) {
        let header = &self.stack.header;
        (header.language, header.caller_number, header.called).hash(state);
        (self.line, self.recorded, self.ending.is_some(), self.over).hash(state);
        (self.held.as_bytes(), self.end_key.map(|(key, _)| key)).hash(state);
        let meta = self.program.meta();
        let word = |at: u32| self.stack.words.get(at as usize).copied().unwrap_or(0);
        for (base, site) in frames(meta, &self.stack) {
            (word(base), word(base + 2)).hash(state);
            for live in &site.live {
                self.hash_slot(live.class, word(base + live.slot), state);
            }
            let result = meta.flow(site.flow).and_then(|flow| flow.result.as_ref());
            // What the flow returns waits for the end of its `finally`.
            if let Some(result) = result.filter(|_| word(base + 2) as u32 == Phase::Finally as u32) {
                for (at, class) in (base + RESULT_AT..).zip(meta.types.slots(result)) {
                    self.hash_slot(class, word(at), state);
                }
            }
        }
    }

    fn hash_slot(&self, class: Class, word: u64, state: &mut impl Hasher) {
        match class {
            Class::Word => word.hash(state),
            Class::Text => self.arena.text(self.program.meta(), Handle::from_word(word)).hash(state),
            Class::Vault => self.vault.value(word).hash(state),
            Class::List => {
                let cells = self.arena.list(word);
                cells.len().hash(state);
                // A list is older than one that holds it, so this ends.
                cells.iter().for_each(|(class, cell)| self.hash_slot(*class, *cell, state));
            }
        }
    }
}
