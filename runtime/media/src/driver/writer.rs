//! The thread that writes recordings, so that no disk ever delays a packet.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use runtime_contract::leg::LegId;

use super::{MediaEvent, OnEvent};
use crate::recording::{RecordSummary, RecordingError, RecordingFile, recorded_ms};
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

impl Open {
    /// The file itself, which is another one when it is encrypted.
    fn written(&self) -> PathBuf {
        match &self.file {
            Ok(file) => file.path().to_owned(),
            Err(error) => error.path.clone(),
        }
    }
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
                    let path = recording.written();
                    recording.file = Err(RecordingError { path, reason, kept_ms: 0 });
                }
            }
            ToWriter::Finish { take, end } => {
                if let Some(Open { path: file, file: recording }) = open.remove(&take) {
                    let result = recording.and_then(RecordingFile::finish).map_err(|error| {
                        let kept_ms = recorded_ms(&error.path).unwrap_or(0);
                        RecordingError { kept_ms, ..error }
                    });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::sealed_path;

    #[test]
    fn what_is_written_before_the_disk_is_too_slow_stays() {
        for key in [None, RecordingKey::parse(&"07".repeat(32))] {
            let folder = tempfile::tempdir().unwrap();
            let (to, from) = channel();
            let (slow, well) = ((LegId(1), Take::Call), (LegId(2), Take::Far));
            let summary = RecordSummary { length_ms: 1_000, spoken: true, end: crate::recording::RecordEnd::Stopped };
            for (take, name) in [(slow, "1.wav"), (well, "2.wav")] {
                to.send(ToWriter::Create { take, file: folder.path().join(name) }).unwrap();
            }
            for take in [slow, slow, well] {
                let samples = vec![0; if take == slow { 16_000 } else { 8_000 }];
                to.send(ToWriter::Append { take, samples }).unwrap();
            }
            to.send(ToWriter::Overrun { take: slow }).unwrap();
            to.send(ToWriter::Finish { take: slow, end: End::Call { length_ms: 3_000 } }).unwrap();
            to.send(ToWriter::Finish { take: well, end: End::Far(summary) }).unwrap();
            drop(to);
            let (tell, told) = channel();
            let on_event: OnEvent = Arc::new(move |_, event| tell.send(event).unwrap());
            run(&from, &AtomicUsize::new(3), &on_event, key.as_ref());
            let MediaEvent::CallRecorded { result: Err(error), .. } = told.recv().unwrap() else {
                panic!("it was too slow");
            };
            assert_eq!((error.kept_ms, error.reason.as_str()), (2_000, "the disk is too slow"));
            let plain = folder.path().join("1.wav");
            assert_eq!(error.path, if key.is_some() { sealed_path(&plain) } else { plain });
            assert!(matches!(told.recv().unwrap(), MediaEvent::Recorded { result: Ok(said), .. } if said == summary));
        }
    }
}
