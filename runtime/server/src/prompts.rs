//! What a call plays, ready to be sent: all fixed texts and audio files of a version before it takes calls, texts
//! with holes when they are needed, on threads of their own. A call waits for its prompt; the node never does.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use runtime_contract::leg::LegId;
use runtime_contract::program::{Bundle, Part, ProgramMeta, Prompt as Item, PromptText};
use runtime_contract::{FlowProgram, GraphId, spoken};
use runtime_media::{Prompt, PromptStore, RecordingKey, Speech, SpeechWarning, VoiceLimits};
use runtime_session::PlayItem;
use runtime_store::{Store, StoreError, recording_file};

use crate::config::VoiceEngine;
use crate::inbox::Door;
use crate::node::Message;
use crate::recovery::{LOST, RECORDINGS};

/// Threads that render texts with holes.
const RENDER_THREADS: usize = 2;

/// Everything that makes sound of texts and files, shared by all versions.
pub struct Voices {
    speech: Speech,
    audio: PromptStore,
    data: PathBuf,
    recording_key: Option<RecordingKey>,
    beep: Arc<Prompt>,
}

impl Voices {
    /// `data` is the data folder. The warning says why voices are poorer than they could be.
    pub fn find(
        engine: VoiceEngine,
        data: &Path,
        recording_key: Option<RecordingKey>,
    ) -> (Voices, Option<SpeechWarning>) {
        let limits = VoiceLimits::default();
        let (speech, warning) = match engine {
            VoiceEngine::Auto => Speech::find(data.join("voices"), limits),
            VoiceEngine::Tones => (Speech::tones(limits), None),
        };
        let audio = PromptStore::new(limits);
        (Voices { speech, audio, data: data.to_owned(), recording_key, beep: Arc::new(Prompt::beep()) }, warning)
    }

    /// The prompt that callers hear for this text; rendered if need be. For those who look for it in what they
    /// heard.
    pub fn text(&self, language: &str, text: &str) -> Result<Arc<Prompt>, String> {
        self.speech.render(language, text).map_err(|error| error.to_string())
    }

    /// Prompts in memory, and entries of the tables in which they are found.
    pub fn counts(&self) -> (usize, usize) {
        let (texts, files) = (self.speech.counts(), self.audio.counts());
        (texts.0 + files.0, texts.1 + files.1)
    }

    pub fn recording_path(&self, recording: u64) -> PathBuf {
        self.data.join(recording_file(recording))
    }

    /// Audio of the project is kept by content, so that a version plays what it was built with whatever
    /// happens to the project's folder.
    fn audio_path(&self, hash: &[u8; 32]) -> PathBuf {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        self.data.join("prompts").join(format!("{hex}.wav"))
    }

    fn keep_audio(&self, file: &str, hash: &[u8; 32], bundle: &Bundle) -> Result<(), String> {
        let path = self.audio_path(hash);
        if path.exists() {
            return Ok(());
        }
        let name = format!("prompts/{file}");
        let bytes = bundle.files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes);
        let bytes = bytes.ok_or_else(|| format!("`{name}` is not in the project; add it, or correct its name"))?;
        if blake3::hash(bytes).as_bytes() != hash {
            return Err(format!("`{name}` changed while it was read; reload again"));
        }
        keep(&path, bytes).map_err(|error| format!("cannot keep `{}`: {error}; check the data folder", path.display()))
    }

    /// One text or audio file without holes.
    fn fixed(&self, tag: &str, text: &PromptText) -> Result<Arc<Prompt>, String> {
        if let Some((file, hash)) = &text.audio {
            return self.audio.load(&self.audio_path(hash)).map_err(|error| format!("`prompts/{file}`: {error}"));
        }
        let words: String =
            text.parts.iter().map(|part| if let Part::Literal(words) = part { words } else { "" }).collect();
        self.text(tag, &words)
    }

    /// One item, whatever it takes. Blocks.
    fn render(&self, meta: &ProgramMeta, item: &PlayItem) -> Result<Arc<Prompt>, String> {
        match item {
            PlayItem::Beep => Ok(Arc::clone(&self.beep)),
            PlayItem::Recording(id) => {
                let loaded = self.audio.load_recording(&self.recording_path(*id), self.recording_key.as_ref());
                loaded.map_err(|error| error.to_string())
            }
            PlayItem::Prompt { prompt, language, values } => {
                let item = meta.prompts.get(*prompt as usize).ok_or("the program has no such prompt")?;
                let text = item.text(*language).ok_or("the prompt has no text")?;
                let tag = meta.tag(text, *language);
                if !is_filled(text) {
                    return self.fixed(tag, text);
                }
                let words = spoken::render(meta, item, *language, values);
                self.speech.render_filled(tag, &words).map_err(|error| error.to_string())
            }
        }
    }
}

/// The number above all that recordings ever had: what was written about one must not lead to another's voice.
pub fn recording_first(data: &Path, store: &Store) -> Result<u64, StoreError> {
    let files = [data.join(RECORDINGS), data.join(LOST)].map(|folder| recording_files(&folder).into_keys().max());
    let highest = files.into_iter().flatten().max().unwrap_or(0).max(store.recording_mark()?);
    store.raise_recording_mark(highest)?;
    Ok(highest.saturating_add(1))
}

/// Files of recordings in a folder by their numbers, encrypted or not.
pub fn recording_files(folder: &Path) -> BTreeMap<u64, PathBuf> {
    let Ok(files) = fs::read_dir(folder) else { return BTreeMap::new() };
    let numbered = files.flatten().filter_map(|file| {
        let name = file.file_name();
        let name = name.to_str()?;
        let number = name.strip_suffix(".enc").unwrap_or(name).strip_suffix(".wav")?.parse::<u64>().ok()?;
        Some((number, file.path()))
    });
    numbered.collect()
}

/// Whether the text differs from call to call.
fn is_filled(text: &PromptText) -> bool {
    text.audio.is_none() && text.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
}

/// Written beside its place, synced, and put there as a whole.
fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    fs::File::open(folder)?.sync_all()
}

/// The fixed prompts of one version, by prompt and language; `None` for those with holes.
pub struct VersionPrompts(Vec<Vec<Option<Arc<Prompt>>>>);

impl VersionPrompts {
    /// Renders and decodes everything that has no holes. Blocks; gives all problems, not only the first.
    pub fn prepare(voices: &Voices, meta: &ProgramMeta, bundle: &Bundle) -> Result<VersionPrompts, Vec<String>> {
        let texts = |item: &Item| {
            (0..item.texts.len().max(1)).filter_map(|l| Some((l, item.text(l as u32)?.clone()))).collect::<Vec<_>>()
        };
        let jobs: Vec<(usize, usize, PromptText)> = (meta.prompts.iter().zip(0..))
            .flat_map(|(item, prompt)| texts(item).into_iter().map(move |(language, text)| (prompt, language, text)))
            .filter(|(_, _, text)| !is_filled(text))
            .collect();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(jobs.len()));
        let work = || {
            while let Some((prompt, language, text)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let kept = match &text.audio {
                    Some((file, hash)) => voices.keep_audio(file, hash, bundle),
                    None => Ok(()),
                };
                let tag = meta.tag(text, u32::try_from(*language).unwrap_or(u32::MAX));
                let ready = kept.and_then(|()| voices.fixed(tag, text));
                done.lock().unwrap_or_else(PoisonError::into_inner).push((*prompt, *language, ready));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
        std::thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut prompts = Vec::new();
        let mut problems = Vec::new();
        for item in &meta.prompts {
            prompts.push(vec![None; item.texts.len()]);
        }
        for (prompt, language, ready) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
            match (ready, prompts.get_mut(prompt).and_then(|languages| languages.get_mut(language))) {
                (Ok(ready), Some(place)) => *place = Some(ready),
                (Err(problem), _) => problems.push(problem),
                (Ok(_), None) => {}
            }
        }
        problems.sort();
        problems.dedup();
        if problems.is_empty() { Ok(VersionPrompts(prompts)) } else { Err(problems) }
    }

    fn get(&self, prompt: u32, language: u32) -> Option<Arc<Prompt>> {
        let languages = self.0.get(prompt as usize)?;
        languages.get(language as usize).or_else(|| languages.first())?.clone()
    }
}

/// Texts to be filled, for a call that waits.
struct Job {
    leg: LegId,
    token: u32,
    program: Arc<dyn FlowProgram>,
    fixed: Option<Arc<VersionPrompts>>,
    items: Vec<PlayItem>,
}

/// The prompts of all versions with calls, and the threads that fill holes.
pub struct Prompts {
    voices: Arc<Voices>,
    versions: HashMap<GraphId, Arc<VersionPrompts>>,
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Prompts {
    pub fn start(voices: Arc<Voices>, door: &Door<Message>) -> std::io::Result<Prompts> {
        let (jobs, from) = channel();
        let from = Arc::new(Mutex::new(from));
        let mut threads = Vec::new();
        for number in 0..RENDER_THREADS {
            let (voices, from, door) = (Arc::clone(&voices), Arc::clone(&from), door.clone());
            let name = format!("render {number}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || render_loop(&voices, &from, &door))?);
        }
        Ok(Prompts { voices, versions: HashMap::new(), jobs: Some(jobs), threads })
    }

    pub fn add_version(&mut self, graph: GraphId, prompts: Arc<VersionPrompts>) {
        self.versions.insert(graph, prompts);
    }

    pub fn drop_version(&mut self, graph: GraphId) {
        self.versions.remove(&graph);
    }

    /// What is to be played, when all of it is ready now. Else it is rendered, and comes as
    /// [`Message::Rendered`] with this leg and token.
    pub fn get(
        &self,
        leg: LegId,
        token: u32,
        program: Arc<dyn FlowProgram>,
        items: Vec<PlayItem>,
    ) -> Option<Vec<Arc<Prompt>>> {
        let fixed = self.versions.get(&program.meta().graph_id);
        let ready = items.iter().map(|item| at_once(&self.voices, fixed.map(Arc::as_ref), item)).collect();
        if let Some(ready) = ready {
            return Some(ready);
        }
        if let Some(jobs) = &self.jobs {
            // The threads live as long as this sender.
            let _ = jobs.send(Job { leg, token, program, fixed: fixed.cloned(), items });
        }
        None
    }
}

impl Drop for Prompts {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn at_once(voices: &Voices, fixed: Option<&VersionPrompts>, item: &PlayItem) -> Option<Arc<Prompt>> {
    match item {
        PlayItem::Beep => Some(Arc::clone(&voices.beep)),
        PlayItem::Prompt { prompt, language, .. } => fixed?.get(*prompt, *language),
        PlayItem::Recording(_) => None,
    }
}

fn render_loop(voices: &Voices, from: &Mutex<Receiver<Job>>, door: &Door<Message>) {
    loop {
        let job = from.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { leg, token, program, fixed, items }) = job else { return };
        let mut prompts = Vec::with_capacity(items.len());
        for item in &items {
            match at_once(voices, fixed.as_deref(), item).map_or_else(|| voices.render(program.meta(), item), Ok) {
                Ok(prompt) => prompts.push(prompt),
                // The call goes on with what can be said; the error names no value.
                Err(why) => tracing::error!(leg = leg.0, "a prompt cannot be played: {why}"),
            }
        }
        door.send(Message::Rendered { leg, token, prompts });
    }
}
