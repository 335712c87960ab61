//! The real program, as its users start it.
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

/// The program on a database, with nothing of the test's own surroundings but what it needs.
pub fn tributary(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    let ours = |name: &str| name.starts_with("TRIBUTARY_") || name == "RUST_LOG" || name == "DATABASE_URL";
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.env("DATABASE_URL", database);
    command
}

/// What a command did.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// The one line of JSON that it printed.
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "not one line: {}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("not JSON: {}", self.out))
    }

    /// The lines of JSON that it printed.
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }
}

/// Runs a command to its end.
pub fn run(mut command: Command, stdin: &str) -> Done {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // one that reads nothing may be gone already
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
    Done { code: status.code().expect("it ends by itself"), out: text(stdout), err: text(stderr) }
}

/// `tributary serve`, running.
pub struct Served {
    child: Child,
    pub to: SocketAddr,
    /// All it has printed by its end.
    out: JoinHandle<String>,
    log: JoinHandle<String>,
}

impl Served {
    /// Starts it on a free port and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = Vec::new();
            stderr.read_to_end(&mut log).unwrap();
            String::from_utf8_lossy(&log).into_owned()
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let address = first.strip_prefix("listening on http://").and_then(|address| address.trim().parse().ok());
        let to = address.unwrap_or_else(|| panic!("not the line that says where it listens: {first:?}"));
        let out = std::thread::spawn(move || {
            let mut rest = String::new();
            stdout.read_to_string(&mut rest).unwrap();
            first + &rest
        });
        Self { child, to, out, log }
    }

    /// Asks it to stop, as an init system does: its exit code, what it printed, its log, and how long it took.
    pub fn terminate(mut self) -> (Option<i32>, String, String, Duration) {
        let began = Instant::now();
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        let code = self.child.wait().unwrap().code();
        let took = began.elapsed();
        (code, self.out.join().unwrap(), self.log.join().unwrap(), took)
    }
}
