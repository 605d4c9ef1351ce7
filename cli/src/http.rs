//! How commands talk to a running server: one request over loopback, with the name of whoever runs the command.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use runtime_server::USER_HEADER;
use serde_json::Value;

use crate::show::{Failure, Result};

/// Building a large project may take a while, and so may taking a person out of a large store.
const PATIENCE: Duration = Duration::from_secs(290);

pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim_end().to_owned()
    }

    /// The body as JSON; a refusal is a failure with the server's words.
    pub fn json(&self) -> Result<Value> {
        self.bytes().and_then(|bytes| {
            serde_json::from_slice(bytes)
                .map_err(|cause| Failure::new(format!("the server's answer cannot be read: {cause}"), OTHER_VERSION))
        })
    }

    pub fn bytes(&self) -> Result<&[u8]> {
        match self.status {
            200 => Ok(&self.body),
            404 if self.body.is_empty() => Err(Failure::new("the server does not know this page", OTHER_VERSION)),
            _ => Err(Failure::new(self.text(), "")),
        }
    }
}

const OTHER_VERSION: &str = "the server may be another version of strowger than this command";

pub fn get(from: SocketAddr, path: &str) -> Result<Answer> {
    ask(from, &format!("GET {path}"), "application/json", None)
}

pub fn post(to: SocketAddr, path: &str, accept: &str, body: Option<&Value>) -> Result<Answer> {
    ask(to, &format!("POST {path}"), accept, body)
}

fn ask(server: SocketAddr, request: &str, accept: &str, body: Option<&Value>) -> Result<Answer> {
    exchange(server, request, accept, body).map_err(|cause| {
        Failure::new(
            format!("no server answers at {server}: {cause}"),
            "start one with `strowger serve`, or name its address with `--http`",
        )
    })
}

fn exchange(server: SocketAddr, request: &str, accept: &str, body: Option<&Value>) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.map_or_else(String::new, Value::to_string);
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {server}\r\nAccept: {accept}\r\n{USER_HEADER}: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        user(),
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let bad = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not an HTTP answer");
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(bad)?;
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(bad)?;
    Ok(Answer { status, body: answer.split_off(end + 4) })
}

/// The user of the operating system, for the server's audit log.
pub fn user() -> String {
    let name = |variable: &str| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let by_number = || match std::fs::metadata("/proc/self") {
        Ok(facts) => name_of(facts.uid()).unwrap_or_else(|| format!("user {}", facts.uid())),
        Err(_) => "unknown".to_owned(),
    };
    let user = name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(by_number);
    let user = match name("SUDO_USER") {
        Some(behind) if behind != user => format!("{behind} as {user}"),
        _ => user,
    };
    user.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect()
}

fn name_of(user: u32) -> Option<String> {
    let known = std::fs::read_to_string("/etc/passwd").ok()?;
    let number = user.to_string();
    let line = known.lines().find(|line| line.split(':').nth(2) == Some(&number))?;
    Some(line.split(':').next()?.to_owned())
}

/// A value in a query.
pub fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_encoded() {
        assert_eq!(encode("+86 13é"), "%2B86%2013%C3%A9");
    }
}
