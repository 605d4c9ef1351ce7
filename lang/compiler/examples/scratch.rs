use std::collections::BTreeMap;
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let mut bundle = runtime_contract::program::Bundle::default();
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        bundle
            .files
            .push((path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap().into()));
    }
    bundle.files.sort();
    let _ = BTreeMap::<u8, u8>::new();
    let project = lang_compiler::Project::from_bundle(&bundle);
    match lang_compiler::compile(&project, &Default::default(), lang_compiler::Engine::Native) {
        Ok(made) => {
            println!("{}", made.analysis.report(lang_diagnostics::Colours::Off, 100).text);
            if std::env::args().nth(2).is_some() {
                println!("{}", lang_compiler::graph_text(&made.graph).unwrap());
            }
            let meta = made.program.meta();
            for queue in &meta.queues {
                println!("{queue:#?}");
            }
            for test in &made.tests {
                println!("{test:?}");
            }
        }
        Err(analysis) => println!("{}", analysis.report(lang_diagnostics::Colours::Off, 100).text),
    }
}
