//! Prints the abstract syntax and the problems of a file: `cargo run -p lang-syntax --example dump -- FILE`.

fn main() {
    let Some(path) = std::env::args().nth(1) else { return eprintln!("usage: dump FILE") };
    let Ok(text) = std::fs::read_to_string(&path) else { return eprintln!("cannot read {path}") };
    let mut sources = lang_diagnostics::Sources::new();
    let file = sources.add(path, text.as_str());
    let (module, problems) = lang_syntax::parse(file, &text);
    println!("{module:#?}");
    eprint!("{}", lang_diagnostics::render(&problems, &sources, lang_diagnostics::Colours::Off, 100));
    eprint!("{}", lang_diagnostics::diagnostics_to_json_lines(&problems, &sources));
}
