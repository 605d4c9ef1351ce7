//! A mistake in `strowger.yaml`, with its place and remedy, in the shape of the language's diagnostics.

use std::fmt;

/// Slips of the finger (a letter more, less, other, or two swapped) up to which a key is taken for a known one.
const SLIPS_MAX: usize = 2;
/// Between message and remedy in texts that travel through serde.
pub(super) const HELP_MARK: &str = " || ";

/// What is wrong, where, and what to do. Line and column count from 1; the column in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub help: String,
}

impl ConfigError {
    pub(super) fn at_start(message: String, help: &str) -> ConfigError {
        ConfigError { line: 1, column: 1, message, help: help.to_owned() }
    }

    /// At the first place where this word stands.
    pub(super) fn at_word(text: &str, word: &str, message: String, help: &str) -> ConfigError {
        let found = text.lines().zip(1..).find_map(|(line, number)| {
            let before = line.split_once(word)?.0;
            Some((number, before.chars().count() + 1))
        });
        let (line, column) = found.unwrap_or((1, 1));
        ConfigError { line, column, message, help: help.to_owned() }
    }

    /// At this line, where the word stands.
    pub(super) fn at_line(text: &str, line: usize, word: &str, message: String, help: &str) -> ConfigError {
        let written = line.checked_sub(1).and_then(|before| text.lines().nth(before));
        let before = written.and_then(|written| written.split_once(word)).map_or("", |(before, _)| before);
        let (line, column) = (line.max(1), before.chars().count() + 1);
        ConfigError { line, column, message, help: help.to_owned() }
    }

    pub(super) fn from_yaml(text: &str, error: &serde_yaml::Error) -> ConfigError {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), column(text, &place)));
        let full = error.to_string();
        let full = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
        if let Some((message, help)) = full.split_once(HELP_MARK) {
            return ConfigError { line, column, message: message.to_owned(), help: help.to_owned() };
        }
        let help = match full.split_once("unknown field ").or_else(|| full.split_once("unknown variant ")) {
            Some((_, rest)) => unknown_word_help(rest),
            None if full.contains("missing field `base`") => "add `base: http://…`, the service's address".into(),
            None if full.contains("missing field `address`") => {
                "add `address`, where the trunk is called; for peers that only call, write their networks alone".into()
            }
            None if full.contains("missing field `password`") => "add `password: ${NAME}`".into(),
            None if full.contains("duplicate field") => "remove one of the two".into(),
            None if full.contains("invalid type") => "write the value in the form that is expected here".into(),
            None => "check indentation, quotes and colons near this place".into(),
        };
        let message = full.split_once(", expected one of").or_else(|| full.split_once(", expected `"));
        let message = message.map_or(full, |(message, _)| message).replace("unknown field", "unknown key");
        ConfigError { line, column, message, help }
    }
}

/// `rest` is serde's "`bsae`, expected `base` or `headers`".
fn unknown_word_help(rest: &str) -> String {
    let mut words = rest.split('`').skip(1).step_by(2);
    let wrong = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    let nearest = known
        .iter()
        .map(|word| (strsim::osa_distance(wrong, word), *word))
        .filter(|(slips, word)| *slips <= SLIPS_MAX && *slips < word.len())
        .min();
    match nearest {
        Some((_, word)) => format!("did you mean `{word}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// serde_yaml counts bytes of the whole text; people count characters of the line.
fn column(text: &str, place: &serde_yaml::Location) -> usize {
    let before = text.get(..place.index().min(text.len())).unwrap_or(text);
    before.rsplit('\n').next().map_or(1, |line| line.chars().count() + 1)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigError { line, column, message, help } = self;
        write!(f, "strowger.yaml:{line}:{column}: {message}; {help}")
    }
}

impl std::error::Error for ConfigError {}

/// The line, from 1, of each key just below this one, as block style writes them.
pub(super) fn lines_below<'t>(text: &'t str, above: &str) -> Vec<(&'t str, usize)> {
    let key = |line: &'t str| {
        let line = line.trim();
        let key = line.split_once(": ").map_or_else(|| line.trim_end_matches(':'), |(key, _)| key);
        key.trim().trim_matches(['"', '\''])
    };
    let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines = text.lines().zip(1..).filter(|(line, _)| said(line));
    let mut below = lines.skip_while(|(line, _)| depth(line) > 0 || key(line) != above).skip(1).peekable();
    let own = below.peek().map_or(0, |(line, _)| depth(line));
    below
        .take_while(|(line, _)| depth(line) > 0)
        .filter(|(line, _)| depth(line) == own)
        .map(|(line, number)| (key(line), number))
        .collect()
}
