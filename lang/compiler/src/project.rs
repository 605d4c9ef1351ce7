//! What is compiled: the flow files of a folder, and what the checker must know of the files beside them.

use std::collections::BTreeMap;

use lang_diagnostics::{Code, Diagnostic, FileId, Span};
use lang_semantics::{Holidays, Surroundings};
use lang_syntax::composed;
use runtime_contract::calendar::days_since_epoch;
use runtime_contract::program::Bundle;

const FLOW_ENDING: &str = ".flow";
const PROMPTS_FOLDER: &str = "prompts/";

/// The files of one project. Paths are relative to its folder, with `/`.
#[derive(Clone, Default)]
pub struct Project {
    /// By path.
    pub(crate) flows: BTreeMap<String, FlowFile>,
    /// BLAKE3 of each file below `prompts/`, by the path that flows name.
    audio: BTreeMap<String, [u8; 32]>,
    audio_ms: BTreeMap<String, u64>,
    unplayable: BTreeMap<String, String>,
    today: Option<i32>,
}

#[derive(Clone)]
pub(crate) struct FlowFile {
    /// As far as it could be decoded.
    pub text: String,
    /// Why the bytes were no text as flow files are written.
    pub misread: Option<Misread>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Misread {
    Utf16,
    /// Byte of the text at which something stood that is no UTF-8; it reads as U+FFFD.
    NotUtf8 {
        at: u32,
    },
}

impl Misread {
    /// What is said of the file, and nothing else of it.
    pub fn problem(self, file: FileId) -> Diagnostic {
        match self {
            Misread::Utf16 => {
                let message = "the file is UTF-16 text, and flow files are UTF-8";
                Diagnostic::new(Code::UnexpectedWord, Span::new(file, 0, 0), message)
                    .help("save it as UTF-8; in Notepad: Save as, Encoding: UTF-8")
            }
            Misread::NotUtf8 { at } => {
                Diagnostic::new(Code::UnexpectedWord, Span::new(file, at, at), "the file is not UTF-8 text")
                    .here("this byte begins no character")
                    .help("save the file as UTF-8")
                    .note("bytes of GBK, Big5 or Latin-1 look so")
            }
        }
    }
}

impl FlowFile {
    pub fn from_bytes(bytes: &[u8]) -> FlowFile {
        if let Some(text) = utf16(bytes) {
            return FlowFile { text, misread: Some(Misread::Utf16) };
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => FlowFile { text: text.to_owned(), misread: None },
            Err(error) => FlowFile {
                text: String::from_utf8_lossy(bytes).into_owned(),
                misread: Some(Misread::NotUtf8 { at: error.valid_up_to() as u32 }),
            },
        }
    }
}

/// UTF-16 is known by its mark (RFC 2781 §3.2), or else by the zero bytes of its Latin letters.
fn utf16(bytes: &[u8]) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    let zeros = |at: usize| pairs.clone().filter(|pair| pair.get(at) == Some(&0)).count() * 4 > bytes.len().max(4);
    let (little, bytes) = match bytes {
        [0xff, 0xfe, rest @ ..] => (true, rest),
        [0xfe, 0xff, rest @ ..] => (false, rest),
        _ if zeros(1) && !zeros(0) => (true, bytes),
        _ if zeros(0) && !zeros(1) => (false, bytes),
        _ => return None,
    };
    let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let units = units.map(|pair| if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
    Some(char::decode_utf16(units).map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

impl Project {
    /// Flow files and audio of a folder; other files are passed over.
    pub fn from_bundle(bundle: &Bundle) -> Project {
        let mut project = Project::default();
        for (path, bytes) in &bundle.files {
            if path.ends_with(FLOW_ENDING) {
                project.flows.insert(path.clone(), FlowFile::from_bytes(bytes));
            } else if let Some(file) = path.strip_prefix(PROMPTS_FOLDER) {
                project.add_audio(file, *blake3::hash(bytes).as_bytes());
            }
        }
        project
    }

    /// `path` ends in `.flow`.
    pub fn add_flow(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.flows.insert(path.into(), FlowFile { text: text.into(), misread: None });
    }

    /// Path and text of each flow file.
    pub(crate) fn flow_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.flows.iter().map(|(path, file)| (path.as_str(), &*file.text))
    }

    /// `file` is a path below `prompts/`, `hash` the BLAKE3 of its bytes.
    pub fn add_audio(&mut self, file: impl Into<String>, hash: [u8; 32]) {
        self.audio.insert(file.into(), hash);
    }

    /// How long the audio of this name lasts. It changes no program.
    pub fn set_audio_ms(&mut self, file: impl Into<String>, ms: u64) {
        self.audio_ms.insert(file.into(), ms);
    }

    /// Says that the audio of this name is there and cannot be played: why, and behind `; ` the remedy.
    pub fn set_unplayable(&mut self, file: impl Into<String>, why: impl Into<String>) {
        self.unplayable.insert(file.into(), why.into());
    }

    /// Days since 1970, so that dates which are over can be told. It changes no program.
    pub fn set_today(&mut self, days: i32) {
        self.today = Some(days);
    }
}

impl Surroundings for Project {
    fn audio(&self, file: &str) -> Option<[u8; 32]> {
        self.audio.get(file).copied()
    }

    fn audio_ms(&self, file: &str) -> Option<u64> {
        self.audio_ms.get(file).copied()
    }

    fn unplayable(&self, file: &str) -> Option<&str> {
        self.unplayable.get(file).map(String::as_str)
    }

    fn holidays(&self, table: &str) -> Option<Holidays> {
        let stdlib::Holidays { closed, worked, first_year, last_year } = stdlib::holidays(table)?;
        let days = |days: Vec<stdlib::Day>| {
            days.into_iter().filter_map(|(year, month, day)| days_since_epoch(year, month, day)).collect()
        };
        Some(Holidays { closed: days(closed), worked: days(worked), first_year, last_year })
    }

    fn holiday_tables(&self) -> Vec<String> {
        stdlib::HOLIDAY_TABLES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn laws(&self) -> Vec<String> {
        stdlib::MODULES.iter().filter_map(|(name, _)| Some(name.strip_prefix("std.law.")?.to_owned())).collect()
    }

    fn today(&self) -> Option<i32> {
        self.today
    }
}

/// `routing`, `billing.cards` of `routing.flow`, `billing/cards.flow`.
pub(crate) fn module_of(path: &str) -> String {
    composed(path.strip_suffix(FLOW_ENDING).unwrap_or(path)).replace('/', ".")
}

/// `std/voicemail.flow` of `std.voicemail`: how people see a module of the library.
pub(crate) fn path_of(module: &str) -> String {
    format!("{}{FLOW_ENDING}", module.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_flows_and_audio() {
        let file = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.into());
        let files = vec![file("a/b.flow", b"x\xffy"), file("prompts/hi.wav", b"RIFF"), file("README.md", b"")];
        let project = Project::from_bundle(&Bundle { files });
        assert_eq!(project.flows.len(), 1);
        let flow = &project.flows["a/b.flow"];
        assert_eq!((flow.text.as_str(), flow.misread), ("x\u{fffd}y", Some(Misread::NotUtf8 { at: 1 })));
        assert_eq!(project.audio("hi.wav"), Some(*blake3::hash(b"RIFF").as_bytes()));
        assert_eq!(project.audio("ho.wav"), None);
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        let text = "flow f { say \"你好\" }\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [(&[0xff, 0xfe][..], &little), (&[0xfe, 0xff], &big), (&[], &little), (&[], &big)] {
            let file = FlowFile::from_bytes(&[mark, bytes].concat());
            assert_eq!((file.text.as_str(), file.misread), (text, Some(Misread::Utf16)));
        }
        for plain in ["", "x", "\0", "flow f {\0}\n", text] {
            assert_eq!(FlowFile::from_bytes(plain.as_bytes()).misread, None, "{plain:?}");
        }
    }

    #[test]
    fn paths_and_modules() {
        assert_eq!(module_of("cafe\u{301}.flow"), "caf\u{e9}");
        assert_eq!(module_of("billing/cards.flow"), "billing.cards");
        assert_eq!(path_of("std.voicemail"), "std/voicemail.flow");
    }

    #[test]
    fn holidays_are_days_in_order() {
        let project = Project::default();
        let found = project.holidays("cn").unwrap();
        assert!(found.closed.is_sorted_by(|a, b| a < b) && found.worked.is_sorted_by(|a, b| a < b));
        assert!(project.holidays("nowhere").is_none());
    }
}
