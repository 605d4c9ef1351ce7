//! Who agreed to what: the types that every file knows by name, and the purposes that `strowger.yaml` lists. Declared in
//! the library's `std.agreement`, which is read wherever one of the words stands.

use lang_diagnostics::{Code, Diagnostic, Span};
use lang_syntax::ast;

use crate::problems::{Problems, nearest, offer_nearest};
use crate::project::{Def, Project};

/// The module of the library that declares [`TYPES`].
pub const MODULE: &str = "std.agreement";
/// Words of a file that needs it.
pub const WORDS: &[&str] = &["Permission", "Contact", "Undelivered", "consent"];

/// Records of the language.
pub(crate) const TYPES: &[&str] = &[CONTACT, PERMISSION, UNDELIVERED];
const CONTACT: &str = "Contact";
const UNDELIVERED: &str = "Undelivered";
pub(crate) const PERMISSION: &str = "Permission";
/// Only a consent check makes one, for one call.
pub(crate) const CONSENT: &str = "Consent";

/// Profiles of the law in the library, each by the constant [`PROFILE`] of a module of its own.
const LAWS: &str = "std.law";
pub(crate) const PROFILE: &str = "profile";

/// The module of the library that a name of the clause `law` may mean.
pub fn law_module(law: &ast::Path) -> Option<String> {
    match law.names.as_slice() {
        [name] => Some(format!("{LAWS}.{}", name.text)),
        _ => None,
    }
}

/// F0606
pub(crate) fn consent_stored(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ConsentStored, span, "a `Consent` is for one call and cannot be kept")
        .here("kept here")
        .help("`Permission`")
        .edit("write `Permission`", span, "Permission")
}

/// The purpose that a name says; `None` with F1008 where the site has no such purpose.
pub(crate) fn purpose(project: &Project<'_>, name: &ast::Name, problems: &mut Problems) -> Option<String> {
    let Some(known) = project.site.purposes.as_ref().filter(|known| !known.contains(&name.text)) else {
        return Some(name.text.clone());
    };
    let message = format!("`strowger.yaml` lists no purpose `{}`", name.text);
    let diagnostic = Diagnostic::new(Code::UnknownPurpose, name.span, message);
    let names = || known.iter().map(String::as_str);
    problems.give(match nearest(&name.text, names()) {
        Some(_) => offer_nearest(diagnostic, &name.text, names(), "{}"),
        None => {
            let lines = known.iter().chain([&name.text]).map(|purpose| format!("\n  - {purpose}"));
            let lines: String = lines.collect();
            diagnostic.help(format!("purposes:{lines}")).note("the help belongs into `strowger.yaml`")
        }
    });
    None
}

impl Project<'_> {
    /// Index of the record `Permission`, in a program that names it.
    pub(crate) fn permission(&self) -> Option<u32> {
        self.record_of(MODULE, PERMISSION)
    }

    /// Index of the record `Contact`, in a program that names it or has a rule about callers.
    pub(crate) fn contact(&self) -> Option<u32> {
        self.record_of(MODULE, CONTACT)
    }

    /// The same of the record `Undelivered`, with a rule about a cadence.
    pub(crate) fn undelivered(&self) -> Option<u32> {
        self.record_of(MODULE, UNDELIVERED)
    }

    /// Index of the library's record `Law`, in a program that names one.
    pub(crate) fn law(&self) -> Option<u32> {
        self.record_of(LAWS, "Law")
    }

    fn record_of(&self, module: &str, name: &str) -> Option<u32> {
        let module = self.modules.iter().find(|known| known.path == module)?;
        match module.items.get(name)?.def {
            Def::Record(id) => Some(id),
            _ => None,
        }
    }
}
