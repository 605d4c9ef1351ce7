//! A project as the commands name it: a folder, or one flow file on its own.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use lang_compiler::Project;
use runtime_contract::program::{Bundle, SiteNames};
use runtime_media::{VoiceLimits, check_audio};
use runtime_server::config::{Config, ConfigError, FILE_NAME};
use runtime_server::project::{read_bundle, read_file_and_prompts};

use crate::moment::Day;
use crate::show::{Failure, Result};

pub struct Opened {
    pub bundle: Bundle,
    /// Names that flows may use; none are known when a single file is opened.
    pub names: SiteNames,
}

/// Opens a folder with its `strowger.yaml`, or a single `.flow` file without any; the recordings that its texts name are
/// found where the folder has them.
pub fn open(path: &Path) -> Result<Opened> {
    if path.is_file() {
        let read = read_file_and_prompts(path, &folder_of(path));
        let bundle = read.map_err(|error| Failure::new(error.message, error.help))?;
        return Ok(Opened { bundle, names: SiteNames::default() });
    }
    if !path.is_dir() {
        return Err(no_project(path));
    }
    let config = site(path)?;
    let bundle =
        read_bundle(path, &path.join(&config.storage.data)).map_err(|error| Failure::new(error.message, error.help))?;
    let known = path.join(FILE_NAME).is_file();
    let names = if known { config.names() } else { SiteNames::default() };
    Ok(Opened { bundle, names })
}

/// The flow files below a folder, or the one file that is named. They need not form a project.
pub fn flow_files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !path.is_dir() {
        return Err(no_project(path));
    }
    let files = runtime_server::project::flow_files(path, &data_folder(path));
    files.map_err(|error| Failure::new(error.message, error.help))
}

/// A number that changes when a file of the project changes; `None` where it cannot be read. `data` is its data folder.
pub fn fingerprint(path: &Path, data: &Path) -> Option<u64> {
    let fingerprint = match path.is_file() {
        true => runtime_server::project::fingerprint_of_file(path, &folder_of(path)),
        false => runtime_server::project::fingerprint(path, data),
    };
    fingerprint.ok()
}

/// The project to which a flow file belongs: the nearest folder above it with a `strowger.yaml`, else that in which it
/// lies.
fn folder_of(file: &Path) -> PathBuf {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let project = whole.ancestors().skip(1).find(|folder| folder.join(FILE_NAME).is_file());
    project.or(whole.parent()).map_or_else(PathBuf::new, Path::to_owned)
}

/// Where the project keeps what it writes, as far as its `strowger.yaml` reads.
pub fn data_folder(path: &Path) -> PathBuf {
    path.join(site(path).map_or_else(|_| Config::default().storage.data, |config| config.storage.data))
}

/// A server has a folder of its own, where its data lies too.
pub fn expect_folder(path: &Path) -> Result {
    match path.is_dir() {
        true => Ok(()),
        false if path.is_file() => {
            Err(Failure::new(format!("`{}` is a file", path.display()), "name the folder of the project"))
        }
        false => Err(no_project(path)),
    }
}

fn no_project(path: &Path) -> Failure {
    let message = match path.exists() {
        true => format!("`{}` is neither a folder nor a file", path.display()),
        false => format!("there is no `{}`", path.display()),
    };
    Failure::new(message, "name a folder with `.flow` files, or one such file")
}

/// Where a file of an opened project lies; `name` as the bundle has it.
pub fn place_of(opened: &Path, name: &str) -> PathBuf {
    if opened.is_file() { opened.to_owned() } else { opened.join(name) }
}

/// What the compiler is given of the files; audio is looked at, for how long it lasts, and so that what nobody could hear
/// is told.
pub fn of_bundle(bundle: &Bundle) -> Project {
    let mut project = Project::from_bundle(bundle);
    let seconds_max = VoiceLimits::default().prompt_seconds_max;
    for (path, bytes) in &bundle.files {
        let Some(file) = path.strip_prefix("prompts/") else { continue };
        match check_audio(bytes, seconds_max) {
            Ok(ms) => project.set_audio_ms(file, ms),
            Err(why) => project.set_unplayable(file, why.to_string()),
        }
    }
    project
}

/// The same, and what day it is: dates that are over and holidays that run out get a warning. Without a day, the one on
/// which it runs.
pub fn to_check(bundle: &Bundle, on: Option<Day>) -> Project {
    let mut project = of_bundle(bundle);
    set_day(&mut project, on);
    project
}

/// Without a day, the one on which it runs.
pub fn set_day(project: &mut Project, on: Option<Day>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let today = now.map(|since| i32::try_from(since.as_secs() / 86_400).unwrap_or(i32::MAX));
    if let Some(today) = on.map(|day| day.0).or(today) {
        project.set_today(today);
    }
}

/// The project's `strowger.yaml`; all defaults when there is none. Secrets are left as they stand.
pub fn site(folder: &Path) -> Result<Config> {
    let text = Config::text_of(folder);
    let config = text.and_then(|text| text.map_or_else(|| Ok(Config::default()), |text| Config::parse(&text)));
    config.map_err(|error| misread(&folder.join(FILE_NAME), &error))
}

/// The same for a server, which needs the secrets too.
pub fn site_with_secrets(folder: &Path) -> Result<Config> {
    Config::from_folder(folder).map_err(|error| misread(&folder.join(FILE_NAME), &error))
}

fn misread(file: &Path, error: &ConfigError) -> Failure {
    let place = format!("{}:{}:{}", file.display(), error.line, error.column);
    Failure::new(format!("{place}: {}", error.message), &error.help)
}

pub fn unreadable(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read `{}`: {cause}", path.display()), "check the path and its permissions")
}
