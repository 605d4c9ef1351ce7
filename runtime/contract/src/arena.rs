//! Texts that a call made at run time, by handle. A handle is plain data, so a frame holds no pointer.

use std::collections::HashMap;

use crate::host::FaultKind;
use crate::limits::{ARENA_BYTES_MAX, TEXT_BYTES_MAX};
use crate::program::ProgramMeta;

/// A text: bit 31 set means the call's arena, else a constant of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Handle(u32);

const ARENA_BIT: u32 = 1 << 31;

impl Handle {
    pub fn constant(index: u32) -> Handle {
        Handle(index & !ARENA_BIT)
    }

    pub fn from_word(word: u64) -> Handle {
        Handle(word as u32)
    }

    pub fn word(self) -> u64 {
        u64::from(self.0)
    }

    pub fn is_constant(self) -> bool {
        self.0 & ARENA_BIT == 0
    }

    fn index(self) -> usize {
        (self.0 & !ARENA_BIT) as usize
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arena {
    texts: Vec<Box<str>>,
    bytes: usize,
}

impl Arena {
    /// Bytes of all texts, for the bound.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The text of a handle; empty when it names none (which no verified program does).
    pub fn text<'t>(&'t self, meta: &'t ProgramMeta, handle: Handle) -> &'t str {
        if handle.is_constant() {
            meta.constants.get(handle.index()).map_or("", String::as_str)
        } else {
            self.texts.get(handle.index()).map_or("", |text| text)
        }
    }

    /// Keeps a text. INVARIANT (canonical text): one that equals a constant of the program gets the
    /// constant's handle, so that comparing with a constant is comparing handles.
    pub fn make(&mut self, meta: &ProgramMeta, text: &str) -> Result<Handle, FaultKind> {
        if let Ok(index) = meta.constants.binary_search_by(|constant| constant.as_str().cmp(text)) {
            return Ok(Handle::constant(index as u32));
        }
        if text.len() > TEXT_BYTES_MAX || self.bytes + text.len() > ARENA_BYTES_MAX {
            return Err(FaultKind::Arena);
        }
        self.bytes += text.len();
        self.texts.push(text.into());
        Ok(Handle(ARENA_BIT | (self.texts.len() - 1) as u32))
    }

    /// Drops what no slot names any more. `words` are all live text slots, in slot order, which numbers the
    /// remaining texts canonically. A handle that names nothing becomes the empty constant 0.
    pub(crate) fn compact<'w>(&mut self, words: impl Iterator<Item = &'w mut u64>) {
        let mut moved: HashMap<u32, u32> = HashMap::new();
        let mut kept = Arena::default();
        for word in words {
            let handle = Handle::from_word(*word);
            if handle.is_constant() {
                continue;
            }
            let new = *moved.entry(handle.0).or_insert_with(|| {
                let text = self.texts.get(handle.index()).cloned().unwrap_or_default();
                kept.bytes += text.len();
                kept.texts.push(text);
                ARENA_BIT | (kept.texts.len() - 1) as u32
            });
            *word = u64::from(new);
        }
        *self = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> ProgramMeta {
        ProgramMeta { constants: vec!["".into(), "gold".into(), "vip".into()], ..ProgramMeta::default() }
    }

    #[test]
    fn a_text_that_is_a_constant_gets_its_handle() {
        let (meta, mut arena) = (program(), Arena::default());
        assert_eq!(arena.make(&meta, "vip").unwrap(), Handle::constant(2));
        assert_eq!(arena.bytes(), 0);
    }

    #[test]
    fn texts_end_at_the_bound() {
        let (meta, mut arena) = (program(), Arena::default());
        assert_eq!(arena.make(&meta, &"x".repeat(TEXT_BYTES_MAX + 1)), Err(FaultKind::Arena));
        for n in 0..ARENA_BYTES_MAX / TEXT_BYTES_MAX {
            let text = char::from_digit(n as u32, 36).unwrap().to_string().repeat(TEXT_BYTES_MAX);
            arena.make(&meta, &text).unwrap();
        }
        assert_eq!(arena.make(&meta, "y"), Err(FaultKind::Arena));
    }

    #[test]
    fn compaction_keeps_what_is_named_and_renumbers() {
        let (meta, mut arena) = (program(), Arena::default());
        let mut words: Vec<u64> = ["a", "b", "c"].iter().map(|t| arena.make(&meta, t).unwrap().word()).collect();
        words.remove(0);
        arena.compact(words.iter_mut());
        let texts: Vec<_> = words.iter().map(|w| arena.text(&meta, Handle::from_word(*w))).collect();
        assert_eq!((texts, arena.bytes()), (vec!["b", "c"], 2));
    }
}
