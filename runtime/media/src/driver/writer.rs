//! The thread that writes recordings, so that no disk ever delays a packet.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use runtime_contract::leg::LegId;

use super::{MediaEvent, OnEvent};
use crate::recording::{RecordSummary, RecordingError, RecordingFile};
use crate::sealed::RecordingKey;

/// Blocks (1 s, 16 KB each) that may wait for a slow disk; a recording that would add more fails.
const BLOCKS_WAITING_MAX: usize = 4_096;

/// Which recording of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// What the far side says, as a flow asks for it.
    Far,
    /// The whole call, on two channels.
    Call,
}

enum ToWriter {
    Create {
        take: (LegId, Take),
        file: PathBuf,
    },
    Append {
        take: (LegId, Take),
        samples: Vec<i16>,
    },
    /// The disk was too slow for a block of this recording.
    Overrun {
        take: (LegId, Take),
    },
    Finish {
        take: (LegId, Take),
        end: End,
    },
}

/// How a recording ended.
pub enum End {
    Far(RecordSummary),
    Call { length_ms: u32 },
}

/// The writer's door, one for each media thread.
#[derive(Clone)]
pub struct Writer {
    to: Sender<ToWriter>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// The thread ends when all its doors are dropped. With a key all recordings are encrypted.
    pub fn start(on_event: OnEvent, key: Option<RecordingKey>) -> std::io::Result<(Writer, JoinHandle<()>)> {
        let (to, from) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&waiting);
        let name = "recordings".into();
        let thread =
            std::thread::Builder::new().name(name).spawn(move || run(&from, &seen, &on_event, key.as_ref()))?;
        Ok((Writer { to, waiting }, thread))
    }

    pub fn create(&self, leg: LegId, take: Take, file: PathBuf) {
        self.send(ToWriter::Create { take: (leg, take), file });
    }

    pub fn append(&self, leg: LegId, take: Take, samples: Vec<i16>) {
        let take = (leg, take);
        if self.waiting.load(Ordering::Relaxed) >= BLOCKS_WAITING_MAX {
            self.send(ToWriter::Overrun { take });
        } else {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.send(ToWriter::Append { take, samples });
        }
    }

    pub fn finish(&self, leg: LegId, end: End) {
        let take = if matches!(end, End::Far(_)) { Take::Far } else { Take::Call };
        self.send(ToWriter::Finish { take: (leg, take), end });
    }

    fn send(&self, message: ToWriter) {
        // The receiver lives as long as any door.
        let _ = self.to.send(message);
    }
}

/// A recording that failed stays as its error until it ends, and is said once, then.
struct Open {
    path: PathBuf,
    file: Result<RecordingFile, RecordingError>,
}

fn run(from: &Receiver<ToWriter>, waiting: &AtomicUsize, on_event: &OnEvent, key: Option<&RecordingKey>) {
    let mut open: HashMap<(LegId, Take), Open> = HashMap::new();
    for message in from {
        match message {
            ToWriter::Create { take, file } => {
                let channels = if take.1 == Take::Call { 2 } else { 1 };
                open.insert(take, Open { file: RecordingFile::create(&file, channels, key), path: file });
            }
            ToWriter::Append { take, samples } => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                if let Some(recording) = open.get_mut(&take)
                    && let Ok(file) = &mut recording.file
                    && let Err(error) = file.append(&samples)
                {
                    recording.file = Err(error);
                }
            }
            ToWriter::Overrun { take } => {
                if let Some(recording) = open.get_mut(&take) {
                    let reason = "the disk is too slow".to_owned();
                    recording.file = Err(RecordingError { path: recording.path.clone(), reason });
                }
            }
            ToWriter::Finish { take, end } => {
                if let Some(Open { path: file, file: recording }) = open.remove(&take) {
                    let result = recording.and_then(RecordingFile::finish);
                    let event = match end {
                        End::Far(summary) => MediaEvent::Recorded { file, result: result.map(|()| summary) },
                        End::Call { length_ms } => {
                            MediaEvent::CallRecorded { file, result: result.map(|()| length_ms) }
                        }
                    };
                    on_event(take.0, event);
                }
            }
        }
    }
}
