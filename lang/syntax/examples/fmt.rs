//! Prints the canonical form of a file: `cargo run -p lang-syntax --example fmt -- FILE`.

fn main() {
    let Some(path) = std::env::args().nth(1) else { return eprintln!("usage: fmt FILE") };
    let Ok(text) = std::fs::read_to_string(&path) else { return eprintln!("cannot read {path}") };
    print!("{}", lang_syntax::format(&text));
}
