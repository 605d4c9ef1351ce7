//! Texts and lists that a call made at run time, by handle. A handle is plain data, so a frame holds no pointer.

use std::collections::HashMap;

use crate::host::FaultKind;
use crate::limits::{ARENA_BYTES_MAX, TEXT_BYTES_MAX};
use crate::program::ProgramMeta;
use crate::types::Class;

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

/// One word of a list, with its class.
pub type Cell = (Class, u64);

/// Bytes that a cell counts for.
const CELL_BYTES: usize = 8;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arena {
    texts: Vec<Box<str>>,
    /// Rows one after the other. Handle 0 is the empty list, handle n + 1 is here at n.
    lists: Vec<Box<[Cell]>>,
    /// Cells of lists that are being written, innermost last. None is left at a wait.
    open: Vec<Cell>,
    bytes: usize,
}

/// How much an arena held.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    texts: usize,
    lists: usize,
    bytes: usize,
}

impl Arena {
    /// Bytes of all texts and lists, for the bound.
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

    /// The words of a list, row after row; none when the handle names none.
    pub fn list(&self, handle: u64) -> &[Cell] {
        let at = usize::try_from(handle).ok().and_then(|handle| handle.checked_sub(1));
        at.and_then(|at| self.lists.get(at)).map_or(&[], |cells| cells)
    }

    /// Keeps a list; gives its handle.
    pub fn make_list(&mut self, cells: Vec<Cell>) -> Result<u64, FaultKind> {
        if cells.is_empty() {
            return Ok(0);
        }
        let bytes = cells.len() * CELL_BYTES;
        if self.bytes + bytes > ARENA_BYTES_MAX {
            return Err(FaultKind::Arena);
        }
        self.bytes += bytes;
        self.lists.push(cells.into());
        Ok(self.lists.len() as u64)
    }

    /// One more cell of the list that is being written.
    pub(crate) fn put(&mut self, cell: Cell) -> Result<(), FaultKind> {
        if self.open.len() * CELL_BYTES >= ARENA_BYTES_MAX {
            return Err(FaultKind::Arena);
        }
        self.open.push(cell);
        Ok(())
    }

    /// The list of the last cells that were put.
    pub(crate) fn close_list(&mut self, cells: u64) -> Result<u64, FaultKind> {
        let from = usize::try_from(cells).ok().and_then(|cells| self.open.len().checked_sub(cells));
        let cells = self.open.split_off(from.ok_or(FaultKind::Host)?);
        self.make_list(cells)
    }

    /// As much as there is now.
    pub(crate) fn mark(&self) -> Mark {
        Mark { texts: self.texts.len(), lists: self.lists.len(), bytes: self.bytes }
    }

    /// Drops what was made since, which no slot may name any more.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.texts.truncate(mark.texts);
        self.lists.truncate(mark.lists);
        self.open.clear();
        self.bytes = mark.bytes;
    }

    /// What a fault left of lists that were being written.
    pub(crate) fn drop_open(&mut self) {
        self.open.clear();
    }

    /// Drops what no slot names any more. `words` are all live slots of texts and lists with their classes, in slot
    /// order, which numbers what remains canonically. A handle that names nothing becomes the empty constant 0.
    pub(crate) fn compact<'w>(&mut self, words: impl Iterator<Item = (Class, &'w mut u64)>) {
        let mut moving = Moving { from: self, kept: Arena::default(), texts: HashMap::new(), lists: HashMap::new() };
        for (class, word) in words {
            *word = moving.moved(class, *word);
        }
        *self = moving.kept;
    }
}

struct Moving<'a> {
    from: &'a Arena,
    kept: Arena,
    texts: HashMap<u32, u32>,
    lists: HashMap<u64, u64>,
}

impl Moving<'_> {
    /// The new word of a slot. Lists lie inside each other as deep as their types, which end.
    fn moved(&mut self, class: Class, word: u64) -> u64 {
        match class {
            Class::Word | Class::Vault => word,
            Class::Text => u64::from(self.text(Handle::from_word(word))),
            Class::List => self.list(word),
        }
    }

    fn text(&mut self, handle: Handle) -> u32 {
        if handle.is_constant() {
            return handle.0;
        }
        let (from, kept) = (self.from, &mut self.kept);
        *self.texts.entry(handle.0).or_insert_with(|| {
            let text = from.texts.get(handle.index()).cloned().unwrap_or_default();
            kept.bytes += text.len();
            kept.texts.push(text);
            ARENA_BIT | (kept.texts.len() - 1) as u32
        })
    }

    fn list(&mut self, handle: u64) -> u64 {
        if let Some(known) = self.lists.get(&handle) {
            return *known;
        }
        // A list is older than one that holds it, so a chain of handles ends.
        let cells = self.from.list(handle).iter();
        let cells: Vec<Cell> = cells
            .map(|(class, word)| match class {
                Class::List if *word >= handle => (*class, 0),
                class => (*class, self.moved(*class, *word)),
            })
            .collect();
        // It was within the bound before.
        let new = self.kept.make_list(cells).unwrap_or(0);
        self.lists.insert(handle, new);
        new
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
        arena.compact(words.iter_mut().map(|word| (Class::Text, word)));
        let texts: Vec<_> = words.iter().map(|w| arena.text(&meta, Handle::from_word(*w))).collect();
        assert_eq!((texts, arena.bytes()), (vec!["b", "c"], 2));
    }

    #[test]
    fn lists_move_with_what_they_hold() {
        let (meta, mut arena) = (program(), Arena::default());
        arena.make(&meta, "gone").unwrap();
        let text = arena.make(&meta, "kept").unwrap().word();
        let inner = arena.make_list(vec![(Class::Text, text), (Class::Text, 2)]).unwrap();
        arena.make_list(vec![(Class::Word, 9)]).unwrap();
        let outer = arena.make_list(vec![(Class::Word, 7), (Class::List, inner), (Class::List, inner)]).unwrap();
        let mut words = [outer, 0, 99];
        arena.compact(words.iter_mut().map(|word| (Class::List, word)));
        let [outer, empty, unknown] = words;
        assert_eq!((empty, unknown, arena.bytes()), (0, 0, "kept".len() + 5 * CELL_BYTES));
        let [(_, 7), (_, one), (_, two)] = arena.list(outer) else { panic!("{arena:?}") };
        assert_eq!(one, two);
        let texts: Vec<_> =
            arena.list(*one).iter().map(|(_, word)| arena.text(&meta, Handle::from_word(*word))).collect();
        assert_eq!(texts, ["kept", "vip"]);
    }

    #[test]
    fn lists_end_at_the_bound() {
        let mut arena = Arena::default();
        assert!(arena.make_list(vec![(Class::Word, 1); ARENA_BYTES_MAX / CELL_BYTES]).is_ok());
        assert_eq!(arena.make_list(vec![(Class::Word, 1)]), Err(FaultKind::Arena));
        assert_eq!(arena.make_list(vec![]), Ok(0));
        let mut arena = Arena::default();
        (0..ARENA_BYTES_MAX / CELL_BYTES).for_each(|_| arena.put((Class::Word, 1)).unwrap());
        assert_eq!(
            (arena.put((Class::Word, 1)), arena.close_list(5_000)),
            (Err(FaultKind::Arena), Err(FaultKind::Host))
        );
    }
}
