//! `strowger reload`: asks a running server to take the project's files as they are now.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use crate::show::{Failure, Result};

#[derive(Args)]
pub struct Reload {
    /// The server's HTTP address
    #[arg(long, default_value = "127.0.0.1:8060")]
    http: SocketAddr,
    /// The server's answer as JSON
    #[arg(long)]
    json: bool,
}

impl Reload {
    pub fn run(&self) -> Result {
        let accept = if self.json { "application/json" } else { "text/plain" };
        let (status, body) = post(self.http, "/reload", accept).map_err(|cause| {
            Failure::new(
                format!("no server answers at {}: {cause}", self.http),
                "start one with `strowger serve`, or name its address with `--http`",
            )
        })?;
        println!("{}", body.trim_end());
        if status == 200 { Ok(()) } else { Err(Failure::Shown) }
    }
}

/// Building a large project may take a while.
const PATIENCE: Duration = Duration::from_secs(120);

fn post(to: SocketAddr, path: &str, accept: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nAccept: {accept}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let bad = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not an HTTP answer");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(bad)?;
    Ok((status, body.to_owned()))
}
