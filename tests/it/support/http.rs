//! A small HTTP client that can also misbehave: every byte of a request is in the test's hands.
use std::{fmt::Write, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// How long any answer may take before the test is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, built up.
#[derive(Debug, Clone)]
pub struct Asking {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asking {
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The bytes on the wire: the head, and the body with its length.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: test\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !self.body.is_empty() || self.method == "POST" {
            let _ = write!(head, "content-length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own.
    pub async fn send(&self, to: SocketAddr) -> Answer {
        let mut connection = Connection::open(to).await;
        let bytes = self.clone().header("connection", "close").bytes();
        // an answer may come before the whole body is taken
        let _ = connection.stream.write_all(&bytes).await;
        connection.answer(&self.method).await.unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.target))
    }
}

impl Answer {
    /// The value of a header; of the first, if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    /// The words of the problem's detail.
    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection that stays open.
pub struct Connection {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub async fn open(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, read: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the server reads");
    }

    /// Sends a request and waits for its answer; none when the connection is closed instead.
    pub async fn ask(&mut self, asking: &Asking) -> Option<Answer> {
        self.stream.write_all(&asking.bytes()).await.ok()?;
        self.answer(&asking.method).await
    }

    /// The next answer; none when the connection is closed before it is whole.
    pub async fn answer(&mut self, method: &str) -> Option<Answer> {
        let reading = async {
            loop {
                if let Some((answer, length)) = parse(&self.read, method, false) {
                    self.read.drain(..length);
                    return Some(answer);
                }
                let mut piece = vec![0; 16 << 10];
                match self.stream.read(&mut piece).await {
                    Ok(0) | Err(_) => return parse(&self.read, method, true).map(|(answer, _)| answer),
                    Ok(length) => self.read.extend_from_slice(&piece[..length]),
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    /// Whether the server closes the connection (without a further answer) within `wait`.
    pub async fn is_closed_within(&mut self, wait: Duration) -> bool {
        let mut piece = vec![0; 1024];
        let reading = async {
            loop {
                match self.stream.read(&mut piece).await {
                    Ok(0) | Err(_) => return true,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(wait, reading).await.unwrap_or(false)
    }
}

/// An answer at the beginning of `bytes`, and how long it is. `ended` says that no more will come.
fn parse(bytes: &[u8], method: &str, ended: bool) -> Option<(Answer, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let mut lines = text.split("\r\n").filter(|line| !line.is_empty());
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if status == 100 {
        return parse(&bytes[head..], method, ended).map(|(answer, length)| (answer, length + head));
    }
    let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let rest = &bytes[head..];
    let (body, length) = if method == "HEAD" || status == 204 || status == 304 {
        (Vec::new(), 0)
    } else if value("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        chunked(rest)?
    } else if let Some(length) = value("content-length").and_then(|length| length.parse().ok()) {
        (rest.get(..length)?.to_vec(), length)
    } else if ended {
        (rest.to_vec(), rest.len())
    } else {
        return None;
    };
    Some((Answer { status, headers, body }, head + length))
}

fn chunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        at += line + 2;
        body.extend_from_slice(bytes.get(at..at + size)?);
        at += size + 2;
        if size == 0 {
            return (bytes.len() >= at).then_some((body, at));
        }
    }
}
