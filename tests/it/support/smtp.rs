//! A mail server that keeps what it is given: real sockets, one line after another. It can also refuse.
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How the server is disposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes everything.
    Willing,
    /// Knows nobody of that name.
    Unknowing,
    /// Not now.
    Busy,
    /// Hangs up once it has heard the letter, before it says yes or no.
    Rude,
}

/// A letter that was taken.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Head and body, as sent.
    pub text: String,
}

impl Received {
    /// The first address with this path in it, without what mail programs do to long lines.
    pub fn link(&self, path: &str) -> String {
        let plain = self.text.replace("=\r\n", "").replace("=3D", "=");
        let at = plain.find(path).unwrap_or_else(|| panic!("no {path} in {plain}"));
        let begin = plain[..at].rfind("http").expect("an address");
        plain[begin..].split(|c: char| c.is_whitespace() || c == '"').next().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The server; it ends with this value.
pub struct Sink {
    pub address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<Received>>>,
    asked: Arc<Mutex<u32>>,
    task: JoinHandle<()>,
}

impl Sink {
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (mood, asked) = (Arc::new(Mutex::new(mood)), Arc::new(Mutex::new(0)));
        let taken: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (moods, letters, count) = (Arc::clone(&mood), Arc::clone(&taken), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let now = *moods.lock().unwrap();
                *count.lock().unwrap() += 1;
                let letters = Arc::clone(&letters);
                tokio::spawn(async move { talk(stream, now, letters).await });
            }
        });
        Self { address, mood, taken, asked, task }
    }

    /// The flags with which a server sends by it.
    pub fn flags(&self) -> [String; 4] {
        let from = "Tributary <hub@example.com>".to_owned();
        ["--smtp-url".into(), format!("smtp://{}", self.address), "--mail-from".into(), from]
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub fn all(&self) -> Vec<Received> {
        self.taken.lock().unwrap().clone()
    }

    /// How often it was called.
    pub fn calls(&self) -> u32 {
        *self.asked.lock().unwrap()
    }

    /// Waits until it has so many letters; the last of them.
    pub async fn letter(&self, count: usize) -> Received {
        until(|| self.all().len() >= count).await;
        self.all()[count - 1].clone()
    }

    /// Waits until it was called so often.
    pub async fn called(&self, count: u32) {
        until(|| self.calls() >= count).await;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "the mail does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn talk(stream: TcpStream, mood: Mood, taken: Arc<Mutex<Vec<Received>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let say = async |stream: &mut BufReader<TcpStream>, line: &str| {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
    };
    say(&mut stream, "220 sink.example.com ready").await?;
    let mut letter = Received { from: String::new(), to: String::new(), text: String::new() };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let verb = line.to_ascii_uppercase();
        let inside = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if verb.starts_with("MAIL FROM") {
            letter.from = inside(&line);
            say(&mut stream, "250 ok").await?;
        } else if verb.starts_with("RCPT TO") {
            letter.to = inside(&line);
            match mood {
                Mood::Unknowing => say(&mut stream, "550 5.1.1 <b>no</b> such user here").await?,
                Mood::Busy => say(&mut stream, "451 4.3.0 come back later").await?,
                Mood::Willing | Mood::Rude => say(&mut stream, "250 ok").await?,
            }
        } else if verb.starts_with("DATA") {
            say(&mut stream, "354 go on").await?;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.ok()? == 0 {
                    return None;
                }
                if line == ".\r\n" {
                    break;
                }
                letter.text.push_str(&line);
            }
            if mood == Mood::Rude {
                return None;
            }
            taken.lock().unwrap().push(letter.clone());
            say(&mut stream, "250 taken").await?;
        } else if verb.starts_with("QUIT") {
            say(&mut stream, "221 bye").await?;
            return None;
        } else {
            say(&mut stream, "250 sink.example.com").await?;
        }
    }
}
