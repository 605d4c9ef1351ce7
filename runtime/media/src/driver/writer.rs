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

/// Blocks (1 s, 16 KB each) that may wait for a slow disk; a recording that would add more fails.
const BLOCKS_WAITING_MAX: usize = 4_096;

enum ToWriter {
    Create {
        leg: LegId,
        file: PathBuf,
    },
    Append {
        leg: LegId,
        samples: Vec<i16>,
    },
    /// The disk was too slow for a block of this leg.
    Overrun {
        leg: LegId,
    },
    Finish {
        leg: LegId,
        summary: RecordSummary,
    },
}

/// The writer's door, one for each media thread.
#[derive(Clone)]
pub struct Writer {
    to: Sender<ToWriter>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// The thread ends when all its doors are dropped.
    pub fn start(on_event: OnEvent) -> std::io::Result<(Writer, JoinHandle<()>)> {
        let (to, from) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&waiting);
        let thread =
            std::thread::Builder::new().name("recordings".into()).spawn(move || run(&from, &seen, &on_event))?;
        Ok((Writer { to, waiting }, thread))
    }

    pub fn create(&self, leg: LegId, file: PathBuf) {
        self.send(ToWriter::Create { leg, file });
    }

    pub fn append(&self, leg: LegId, samples: Vec<i16>) {
        if self.waiting.load(Ordering::Relaxed) >= BLOCKS_WAITING_MAX {
            self.send(ToWriter::Overrun { leg });
        } else {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.send(ToWriter::Append { leg, samples });
        }
    }

    pub fn finish(&self, leg: LegId, summary: RecordSummary) {
        self.send(ToWriter::Finish { leg, summary });
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

fn run(from: &Receiver<ToWriter>, waiting: &AtomicUsize, on_event: &OnEvent) {
    let mut open: HashMap<LegId, Open> = HashMap::new();
    for message in from {
        match message {
            ToWriter::Create { leg, file } => {
                open.insert(leg, Open { file: RecordingFile::create(&file), path: file });
            }
            ToWriter::Append { leg, samples } => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                if let Some(recording) = open.get_mut(&leg)
                    && let Ok(file) = &mut recording.file
                    && let Err(error) = file.append(&samples)
                {
                    recording.file = Err(error);
                }
            }
            ToWriter::Overrun { leg } => {
                if let Some(recording) = open.get_mut(&leg) {
                    let reason = "the disk is too slow".to_owned();
                    recording.file = Err(RecordingError { path: recording.path.clone(), reason });
                }
            }
            ToWriter::Finish { leg, summary } => {
                if let Some(Open { path, file }) = open.remove(&leg) {
                    let result = file.and_then(RecordingFile::finish).map(|()| summary);
                    on_event(leg, MediaEvent::Recorded { file: path, result });
                }
            }
        }
    }
}
