//! `strowger reload`: asks a running server to take the project's files as they are now.

use clap::Args;

use crate::deploy::ServerAddress;
use crate::show::Result;

#[derive(Args)]
pub struct Reload {
    #[command(flatten)]
    server: ServerAddress,
}

impl Reload {
    pub fn run(&self) -> Result {
        self.server.change("/reload", None)
    }
}
