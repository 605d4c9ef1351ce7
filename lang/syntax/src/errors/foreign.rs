//! Words by which other systems (dialplans, dialogues in XML, programming languages) call what has another name here.

use crate::grammar::Context;

/// The words with which the line begins here, for the one with which it begins elsewhere.
pub(crate) fn known_elsewhere(context: Context, word: &str) -> Option<&'static str> {
    let table = match context {
        Context::File => ITEMS,
        Context::Flow | Context::Statements | Context::Arms => STATEMENTS,
        Context::Dialogue => DIALOGUES,
        Context::Test => TESTS,
        _ => return None,
    };
    let word = word.to_lowercase();
    table.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(ours, _)| *ours)
}

type Table = &'static [(&'static str, &'static [&'static str])];

const ITEMS: Table = &[
    ("type", &["record", "struct", "class", "interface", "object"]),
    ("enum", &["union", "variant"]),
    ("function", &["def", "fn", "func", "proc", "procedure", "sub", "macro"]),
    ("use", &["import", "include", "require", "using"]),
    ("const", &["define", "constant", "let", "var", "set", "global", "globals"]),
    ("inbound", &["exten", "extension", "number", "did", "route"]),
    ("flow", &["context", "dialplan", "ivr", "menu", "form", "vxml", "dialog", "step"]),
    ("hours", &["calendar", "schedule", "opening", "timegroup"]),
    ("languages", &["language", "lang", "locale", "locales"]),
    ("prompt", &["audio", "sound", "sounds", "phrase", "phrases"]),
    ("service", &["api", "webservice", "webhook", "endpoint"]),
    ("local", &["private"]),
];

const STATEMENTS: Table = &[
    ("say", &["speak", "announce", "background", "playback", "print", "tts", "prompt"]),
    ("let", &["var", "const", "local", "assign"]),
    ("go", &["goto", "jump", "transition"]),
    ("hang up", &["hangup", "disconnect", "exit", "bye", "terminate"]),
    ("wait", &["pause", "sleep", "delay"]),
    ("ask", &["read", "gather", "input", "collect", "prompt_user"]),
    ("run", &["call", "gosub", "execute", "invoke", "perform", "subdialog"]),
    ("connect to", &["dial", "bridge", "ring"]),
    ("transfer to", &["refer", "redirect", "forward"]),
    ("reject", &["decline", "refuse", "busy", "congestion"]),
    ("queue", &["enqueue", "hold"]),
    ("note", &["log", "noop", "verbose", "debug", "trace"]),
    ("match", &["switch", "case", "select"]),
    ("repeat", &["while", "loop", "do"]),
    ("for each", &["foreach"]),
    ("if", &["gotoif", "elif", "elsif", "elseif", "when"]),
    ("send", &["sms", "email", "mail", "text"]),
    ("answer", &["accept", "pickup"]),
];

const DIALOGUES: Table = &[
    ("say", &["speak", "prompt", "announce", "background", "playback"]),
    ("reprompt", &["retry", "repeat"]),
    ("listen", &["wait"]),
    ("after", &["tries", "attempts"]),
    ("ends on", &["terminator", "finish", "termchar", "until"]),
];

const TESTS: Table = &[
    ("press", &["key", "keys", "dtmf", "digits", "presses", "enter"]),
    ("says", &["speaks", "say"]),
    ("hears", &["hear", "listens", "assert", "heard"]),
    ("hang up", &["hangup", "disconnect", "hangs"]),
    ("expect", &["check", "verify", "should"]),
    ("given", &["mock", "stub", "when", "returns"]),
    ("call", &["dials", "caller", "rings"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_a_line_of_its_block() {
        let tables = [
            (Context::File, ITEMS),
            (Context::Statements, STATEMENTS),
            (Context::Dialogue, DIALOGUES),
            (Context::Test, TESTS),
        ];
        for (context, table) in tables {
            for (ours, words) in table {
                let first = ours.split(' ').next().unwrap_or("");
                assert!(context.forms().iter().any(|(known, _)| *known == first), "{ours}");
                for word in *words {
                    assert!(!context.forms().iter().any(|(known, _)| known == word), "`{word}` is a word of ours");
                    assert!(known_elsewhere(context, word).is_some());
                }
            }
        }
    }
}
