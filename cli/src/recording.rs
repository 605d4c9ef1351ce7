//! `strowger recording`: what was recorded, out of the server's folder.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use runtime_media::{SealedError, open_sealed, sealed_path, write_wav};

use crate::project::{data_folder, site_with_secrets, unreadable};
use crate::show::{Failure, Result};

#[derive(Args)]
pub struct Recording {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writes a recording to a WAV file, decrypted with the key in `storage: recording_key`
    Export(Export),
}

#[derive(Args)]
struct Export {
    /// Its number, as in the call's record
    id: u64,
    /// The WAV file to write; one that is there is not replaced
    file: PathBuf,
    /// The project's folder
    #[arg(long, default_value = ".")]
    project: PathBuf,
}

impl Recording {
    pub fn run(&self) -> Result {
        let What::Export(export) = &self.what;
        export.run()
    }
}

impl Export {
    fn run(&self) -> Result {
        if self.file.exists() {
            let message = format!("`{}` is there already", self.file.display());
            return Err(Failure::new(message, "give another name, or remove it first"));
        }
        let wav = data_folder(&self.project).join(runtime_store::recording_file(self.id));
        let sealed = sealed_path(&wav);
        if !sealed.exists() {
            std::fs::copy(&wav, &self.file).map_err(|cause| unreadable(&wav, &cause))?;
            return Ok(());
        }
        let bytes = std::fs::read(&sealed).map_err(|cause| unreadable(&sealed, &cause))?;
        let key = site_with_secrets(&self.project)?.recording_key();
        let opened = key.ok_or(SealedError::NoKey).and_then(|key| open_sealed(&bytes, &key)).map_err(|why| {
            let help = match why {
                SealedError::OtherKey => {
                    "set the variable to the key of the time of the recording, for this command alone"
                }
                SealedError::NoKey => "run it where the server's environment is, with the same strowger.yaml",
                SealedError::NotSealed | SealedError::Damaged { .. } => "take the file from a backup",
            };
            Failure::new(format!("cannot read `{}`: {why}", sealed.display()), help)
        })?;
        write_wav(&self.file, &opened.samples, opened.channels).map_err(|cause| {
            let message = format!("cannot write `{}`: {cause}", self.file.display());
            Failure::new(message, "check the folder, its rights and the free space")
        })?;
        if !opened.complete {
            eprintln!("the process died while it recorded: this is what it had written until then");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::*;

    #[test]
    fn an_encrypted_recording_is_exported_with_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().to_owned();
        // Not set by anybody else; a test must not change the environment.
        std::fs::write(project.join("strowger.yaml"), "storage:\n  recording_key: ${STROWGER_NO_SUCH_KEY}\n").unwrap();
        std::fs::create_dir_all(project.join("data/recordings")).unwrap();
        let wav = project.join("data").join(runtime_store::recording_file(7));
        write_wav(&wav, &[1, 2, 3], 1).unwrap();
        let export = |file: &str| Export { id: 7, file: project.join(file), project: project.clone() };
        assert!(export("out.wav").run().is_ok());
        assert_eq!(std::fs::read(project.join("out.wav")).unwrap(), std::fs::read(&wav).unwrap());
        assert!(export("out.wav").run().is_err(), "nothing is replaced");
        let key = runtime_media::RecordingKey::parse(&"11".repeat(32)).unwrap();
        let mut file = std::fs::File::create(sealed_path(&wav)).unwrap();
        let mut writer = runtime_media::sealed::SealedWriter::new(&mut file, 1, &key).unwrap();
        writer.append(&[4, 5]).unwrap();
        writer.finish().unwrap();
        assert!(export("two.wav").run().is_err(), "no key, no recording");
        assert!(!project.join("two.wav").exists());
    }
}
