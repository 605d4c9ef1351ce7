//! From files to meaning: all problems of a project, and its tree when none of them is an error.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lang_diagnostics::{Colours, Diagnostic, FileId, Sources, diagnostics_to_json_lines, render};
use lang_flowgraph::lower::KnownFlows;
use lang_semantics::{ParsedModule, agreement, hir};
use lang_syntax::KnownLines;
use lang_syntax::ast::{self, Unread};
use runtime_contract::program::{Report, SiteNames};

use crate::consequences::Gaps;
use crate::depth::with_room;
use crate::project::{Misread, Project, module_of, path_of};

/// What is known of a project before any code is made.
pub struct Analysis {
    /// The project's files, and those of the library that it uses.
    pub sources: Sources,
    /// By file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many of them the parser gave: lines that do not read.
    pub unread: usize,
    /// Present when no diagnostic is an error.
    pub program: Option<hir::Program>,
    /// Files of the project; those of the library stand behind them.
    own_files: u32,
}

impl Analysis {
    /// The file is not one of the project's own.
    pub fn is_library(&self, file: FileId) -> bool {
        file.0 >= self.own_files
    }

    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The problems as people and machines read them. `width` is that of the terminal, in columns.
    pub fn report(&self, colours: Colours, width: usize) -> Report {
        Report {
            text: render(&self.diagnostics, &self.sources, colours, width),
            json: diagnostics_to_json_lines(&self.diagnostics, &self.sources),
        }
    }
}

pub fn analyze(project: &Project, names: &SiteNames) -> Analysis {
    Checker::default().analyze(project, names)
}

/// Checks a project again and again as it changes: files and lines that it knows are not read anew, and flows that it
/// knows are not compiled anew.
#[derive(Default)]
pub struct Checker {
    known: Mutex<Known>,
}

/// What was read and made for the last check.
#[derive(Default)]
pub(crate) struct Known {
    pub flows: KnownFlows,
    lines: KnownLines,
    /// By path.
    files: BTreeMap<String, KnownFile>,
}

/// A file as it was read. Its spans are good for the same file id only.
struct KnownFile {
    id: FileId,
    text: String,
    ast: Arc<ast::Module>,
    problems: Vec<Diagnostic>,
    used: bool,
}

impl Known {
    fn read(&mut self, path: &str, id: FileId, text: &str) -> &KnownFile {
        let known = self.files.remove(path).filter(|known| known.id == id && known.text == text);
        let file = known.unwrap_or_else(|| {
            self.flows.changed(id);
            let (ast, problems) = lang_syntax::parse_knowing(&mut self.lines, id, text);
            KnownFile { id, text: text.to_owned(), ast: Arc::new(ast), problems, used: true }
        });
        self.files.entry(path.to_owned()).or_insert(KnownFile { used: true, ..file })
    }

    pub fn analyze(&mut self, project: &Project, names: &SiteNames) -> Analysis {
        let analysis = read_and_check(self, project, names);
        self.forget_unused();
        analysis
    }

    fn forget_unused(&mut self) {
        self.lines.forget_unused();
        self.files.retain(|_, file| std::mem::take(&mut file.used));
    }
}

impl Checker {
    pub fn analyze(&self, project: &Project, names: &SiteNames) -> Analysis {
        with_room(|| self.known().analyze(project, names))
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_and_check(known: &mut Known, project: &Project, names: &SiteNames) -> Analysis {
    let mut reader = Reader::new(known);
    for (path, file) in &project.flows {
        match file.misread {
            None => reader.read(path, module_of(path), &file.text),
            Some(misread) => reader.read_foreign(path, module_of(path), &file.text, misread),
        }
    }
    let own_files = reader.sources.files().count() as u32;
    reader.read_library();
    let Reader { sources, modules, mut diagnostics, foreign, .. } = reader;
    let unread_lines = diagnostics.len();
    let by_path: Vec<_> = modules.iter().map(|(path, ast)| (path.as_str(), &**ast)).collect();
    let unread = modules.values().flat_map(|ast| &ast.unread).chain(&foreign).collect();
    let gaps = Gaps::new(&by_path, unread, &sources);
    let modules: Vec<ParsedModule<'_>> =
        modules.iter().map(|(path, ast)| ParsedModule { path: path.clone(), ast }).collect();
    let (program, found) = lang_semantics::analyze(&modules, project, names);
    let mut found = gaps.without_consequences(found, &sources);
    found.iter_mut().for_each(|problem| write_out_place(problem, &sources));
    diagnostics.extend(found);
    diagnostics.sort_by_key(|problem| (problem.span().file, problem.span().start));
    let program = program.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    Analysis { sources, diagnostics, unread: unread_lines, program, own_files }
}

/// The checker writes `…` in a help for what stands at the place: it knows places, and no texts.
fn write_out_place(problem: &mut Diagnostic, sources: &Sources) {
    let place = sources.slice(problem.span());
    if place.contains('\n') || place.len() > PLACE_BYTES_MAX {
        return;
    }
    let place = place.to_owned();
    for text in problem.help.iter_mut().chain(&mut problem.notes) {
        *text = text.replace('…', &place);
    }
}

/// A longer place stays `…` in a help.
const PLACE_BYTES_MAX: usize = 80;

/// Parses files as they come.
struct Reader<'k> {
    known: &'k mut Known,
    sources: Sources,
    /// By module path.
    modules: BTreeMap<String, Arc<ast::Module>>,
    diagnostics: Vec<Diagnostic>,
    /// Files that are in another encoding.
    foreign: Vec<Unread>,
    /// Modules that some file uses and that are not looked for yet.
    wanted: Vec<String>,
}

impl<'k> Reader<'k> {
    fn new(known: &'k mut Known) -> Self {
        Reader {
            known,
            sources: Sources::default(),
            modules: BTreeMap::new(),
            diagnostics: Vec::new(),
            foreign: Vec::new(),
            wanted: Vec::new(),
        }
    }

    fn read(&mut self, path: &str, module: String, text: &str) {
        if lang_syntax::has_word(text, agreement::WORDS) {
            self.wanted.push(agreement::MODULE.to_owned());
        }
        let id = self.sources.add(path, text);
        let known = self.known.read(path, id, text);
        self.diagnostics.extend(known.problems.iter().cloned());
        let ast = Arc::clone(&known.ast);
        self.take(module, ast);
    }

    /// A file in another encoding: that is said, and nothing else of it.
    fn read_foreign(&mut self, path: &str, module: String, text: &str, misread: Misread) {
        let file = self.sources.add(path, text);
        let (ast, _) = lang_syntax::parse(file, text);
        self.foreign.push(Unread { span: ast.span, item: None, block: None, heads: Vec::new(), declares: true });
        let problem = misread.problem(file);
        self.diagnostics.push(problem);
        self.take(module, Arc::new(ast));
    }

    fn take(&mut self, module: String, ast: Arc<ast::Module>) {
        self.wanted.extend(ast.uses.iter().map(|wanted| {
            let names: Vec<_> = wanted.module.names.iter().map(|name| name.text.as_str()).collect();
            names.join(".")
        }));
        if ast.items.iter().any(|item| matches!(item.kind, ast::ItemKind::When(_))) {
            self.wanted.push(agreement::MODULE.to_owned());
        }
        let cadences = ast.items.iter().filter_map(|item| match &item.kind {
            ast::ItemKind::Cadence(cadence) => Some(&cadence.clauses),
            _ => None,
        });
        for clause in cadences.flatten() {
            if let ast::CadenceClauseKind::Law(laws) = &clause.kind {
                self.wanted.extend(laws.iter().filter_map(agreement::law_module));
            }
        }
        self.modules.insert(module, ast);
    }

    /// Modules of the library that the project uses and does not have itself, and those that they use.
    fn read_library(&mut self) {
        while let Some(module) = self.wanted.pop() {
            if self.modules.contains_key(&module) {
                continue;
            }
            if let Some(text) = stdlib::module(&module) {
                self.read(&path_of(&module), module, text);
            }
        }
    }
}
