//! An open-loop load generator: requests leave at a fixed rate, whether or not earlier ones were answered, and each
//! latency counts from the moment its request should have left. A server that stalls cannot hide it by being asked
//! less (the error known as coordinated omission).
//!
//! One thread a connection, each with its own share of the timetable, and nothing but the standard library. Prints
//! one JSON object. Arguments: see `Plan::read`.
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// What to send, whereto, how often.
struct Plan {
    port: u16,
    path: String,
    token: String,
    body: Vec<u8>,
    connections: u32,
    /// Requests a second, all connections together.
    rate: f64,
    duration: Duration,
    /// Not counted: the beginning.
    warm_up: Duration,
}

/// What came of it.
#[derive(Default)]
struct Tally {
    /// Microseconds from when a request should have left until its answer was there: of those answered 2xx.
    latencies: Vec<u32>,
    /// Of them, those that were there before the time was up.
    in_time: u32,
    statuses: BTreeMap<u16, u64>,
    refused_without_retry_after: u64,
    /// The connection ended in the middle of a request.
    broken: u64,
    /// Requests whose moment never came, since their connection was waiting until the end.
    never_sent: u64,
}

impl Plan {
    /// Reads `PORT PATH TOKEN BODY_FILE CONNECTIONS RATE SECONDS WARM_UP_SECONDS`.
    fn read() -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [port, path, token, body, connections, rate, seconds, warm_up] = <[String; 8]>::try_from(arguments)
            .map_err(|_| "usage: load PORT PATH TOKEN BODY_FILE CONNECTIONS RATE SECONDS WARM_UP_SECONDS".to_owned())?;
        let number = |text: String| text.parse::<f64>().map_err(|error| format!("{text}: {error}"));
        Ok(Self {
            port: port.parse().map_err(|error| format!("{port}: {error}"))?,
            path,
            token,
            body: std::fs::read(&body).map_err(|error| format!("{body}: {error}"))?,
            connections: connections.parse().map_err(|error| format!("{connections}: {error}"))?,
            rate: number(rate)?,
            duration: Duration::from_secs_f64(number(seconds)?),
            warm_up: Duration::from_secs_f64(number(warm_up)?),
        })
    }

    fn request(&self) -> Vec<u8> {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-CM-PRODUCTTOKEN: {}\r\n\
             Content-Length: {}\r\n\r\n",
            self.path,
            self.token,
            self.body.len()
        );
        [head.as_bytes(), &self.body].concat()
    }
}

fn main() -> Result<(), String> {
    let plan = Plan::read()?;
    let request = plan.request();
    // time for all threads to be there
    let start = Instant::now() + Duration::from_millis(200) + Duration::from_micros(u64::from(plan.connections) * 100);
    let tally = thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.connections)
            .map(|number| {
                let (plan, request) = (&plan, &request);
                thread::Builder::new()
                    .stack_size(128 << 10)
                    .spawn_scoped(scope, move || connection(plan, request, start, number))
                    .map_err(|error| format!("a thread a connection is too many here: {error}"))
            })
            .collect::<Result<_, _>>()?;
        let mut all = Tally::default();
        for thread in threads {
            all.add(thread.join().map_err(|_| "a thread panicked".to_owned())?);
        }
        Ok::<_, String>(all)
    })?;
    println!("{}", tally.json(plan.duration));
    Ok(())
}

/// One connection's share of the timetable.
fn connection(plan: &Plan, request: &[u8], start: Instant, number: u32) -> Tally {
    let mut tally = Tally::default();
    let apart = Duration::from_secs_f64(f64::from(plan.connections) / plan.rate);
    let first = start + apart.mul_f64(f64::from(number) / f64::from(plan.connections));
    let (begin, end) = (start + plan.warm_up, start + plan.warm_up + plan.duration);
    let mut line = Line::default();
    let mut due = first;
    while due < end {
        let now = Instant::now();
        if now < due {
            thread::sleep(due - now);
        } else if now >= end {
            // those that the timetable still had for this connection
            while due < end {
                tally.never_sent += 1;
                due += apart;
            }
            break;
        }
        let answer = line.ask(plan.port, request);
        if due >= begin {
            tally.note(answer, due, end);
        } else if answer.is_ok_and(|answer| answer.is_success()) {
            // due before, stored within: else a server with a long queue would look slower than it is
            tally.in_time += u32::from((begin..end).contains(&Instant::now()));
        }
        due += apart;
    }
    tally
}

/// A connection that is opened when it is needed.
#[derive(Default)]
struct Line {
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// Of an answer, what matters here.
struct Answer {
    status: u16,
    retry_after: bool,
}

impl Answer {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Line {
    fn ask(&mut self, port: u16, request: &[u8]) -> io::Result<Answer> {
        let answer = self.try_ask(port, request);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn try_ask(&mut self, port: u16, request: &[u8]) -> io::Result<Answer> {
        if self.stream.is_none() {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            self.stream = Some(stream);
        }
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::NotConnected.into()) };
        // a server may answer, and close, before it has read everything: its answer counts
        let sent = stream.write_all(request);
        self.buffer.clear();
        let (head, whole) = loop {
            let mut more = [0; 4096];
            let length = stream.read(&mut more)?;
            if length == 0 {
                return Err(sent.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
            }
            self.buffer.extend_from_slice(&more[..length]);
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..at]).to_ascii_lowercase();
                let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
                break (head, at + 4 + length);
            }
        };
        if self.buffer.len() < whole {
            let mut rest = vec![0; whole - self.buffer.len()];
            stream.read_exact(&mut rest)?;
        }
        let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        if sent.is_err() || header(&head, "connection").is_some_and(|value| value == "close") {
            self.stream = None;
        }
        Ok(Answer { status, retry_after: header(&head, "retry-after").is_some() })
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

impl Tally {
    fn note(&mut self, answer: io::Result<Answer>, due: Instant, end: Instant) {
        let Ok(answer) = answer else {
            self.broken += 1;
            return;
        };
        *self.statuses.entry(answer.status).or_default() += 1;
        if answer.is_success() {
            let now = Instant::now();
            self.latencies.push(u32::try_from((now - due).as_micros()).unwrap_or(u32::MAX));
            self.in_time += u32::from(now < end);
        } else if !(answer.status == 503 && answer.retry_after) {
            self.refused_without_retry_after += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.in_time += other.in_time;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.refused_without_retry_after += other.refused_without_retry_after;
        self.broken += other.broken;
        self.never_sent += other.never_sent;
    }

    fn json(mut self, duration: Duration) -> String {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let at = |in_a_thousand: usize| self.latencies.get(last * in_a_thousand / 1000).copied().unwrap_or(0);
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!(r#""{status}":{count}"#)).collect();
        format!(
            concat!(
                r#"{{"per_second":{:.1},"statuses":{{{}}},"refused_without_retry_after":{},"broken":{},"#,
                r#""never_sent":{},"p50_us":{},"p90_us":{},"p99_us":{},"p999_us":{},"max_us":{}}}"#
            ),
            f64::from(self.in_time) / duration.as_secs_f64(),
            statuses.join(","),
            self.refused_without_retry_after,
            self.broken,
            self.never_sent,
            at(500),
            at(900),
            at(990),
            at(999),
            at(1000)
        )
    }
}
