//! One conversation with a mail server.
use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use url::{Host, Url};

use super::{
    MailSettings, Part,
    letter::{html, plain},
};

/// How long the server may take to answer one command.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the whole conversation may take: less than a claim lasts.
const ALL: Duration = Duration::from_mins(1);
/// The longest fault that is kept, in characters.
const LONGEST_FAULT: usize = 300;
/// The mailbox does not exist or must not be written to: trying again would be answered the same.
const NO_SUCH_MAILBOX: [&str; 3] = ["550", "551", "553"];

/// The address of a mail server, with its password. It cannot be printed.
#[derive(Clone)]
pub struct SmtpUrl(Url);

impl FromStr for SmtpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // what is wrong with it must not repeat it: it may hold a password
        const FORM: &str = "write it like smtp://USER:PASSWORD@HOST:587?tls=required or smtps://HOST";
        let mut url = Url::parse(text).map_err(|_| FORM)?;
        // of a scheme it does not know, the parser takes every host for a name
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        match (url.scheme(), tls.as_deref()) {
            ("smtps", None) | ("smtp", Some("required" | "opportunistic")) => {}
            // the library takes no word for "none"
            ("smtp", Some("none")) => url.set_query(None),
            ("smtp", None) if here => {}
            // a password must not travel in the clear because nobody thought of it
            ("smtp", None) => url.set_query(Some("tls=required")),
            _ => return Err(FORM.into()),
        }
        Ok(Self(url))
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({}://{}…)", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

/// A mail server, ready to be talked to.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The name of this server, in greetings and in ids of letters.
    host: String,
}

/// Why a letter was not taken.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) words: String,
    /// Whether trying again is of no use.
    pub(super) for_good: bool,
}

/// Whether the settings will do, before the server starts on them.
///
/// # Errors
/// When the certificates of the system cannot be read.
pub fn check(settings: &MailSettings) -> anyhow::Result<()> {
    Smtp::new(settings, "http://localhost").map(drop)
}

impl Smtp {
    /// None when mail is not configured. `public_base` is the address of this server.
    pub(super) fn new(settings: &MailSettings, public_base: &str) -> anyhow::Result<Option<Self>> {
        let (Some(SmtpUrl(url)), Some(from)) = (&settings.smtp_url, &settings.mail_from) else { return Ok(None) };
        let public = Url::parse(public_base).ok();
        let (hello, host) = match public.as_ref().and_then(Url::host) {
            Some(Host::Ipv4(address)) => (ClientId::Ipv4(address), address.to_string()),
            Some(Host::Ipv6(address)) => (ClientId::Ipv6(address), "tributary".to_owned()),
            Some(Host::Domain(name)) => (ClientId::Domain(name.to_owned()), name.to_owned()),
            None => (ClientId::default(), "tributary".to_owned()),
        };
        // no cause: it could repeat the address, and the password with it
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str()).map_err(|_| {
            anyhow::anyhow!("the mail server's address or the certificates of the system cannot be used")
        })?;
        let transport = builder.hello_name(hello).timeout(Some(PATIENCE)).build();
        Ok(Some(Self { transport, from: from.clone(), host }))
    }

    /// Sends one letter.
    pub(super) async fn send(
        &self,
        id: uuid::Uuid,
        at: DateTime<Utc>,
        to: &str,
        subject: &str,
        parts: &[Part],
    ) -> Result<(), Fault> {
        let fault = |words: String, for_good| Fault { words: shortened(&words), for_good };
        let to = to.parse().map_err(|_| fault("the address cannot be written to".into(), true))?;
        let no_answers = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .date(at.into())
            .message_id(Some(format!("<{id}@{}>", self.host)))
            .raw_header(HeaderValue::new(no_answers, "auto-generated".into()))
            .multipart(MultiPart::alternative_plain_html(plain(parts), html(parts)))
            .map_err(|error| fault(error.to_string(), true))?;
        match tokio::time::timeout(ALL, self.transport.send(message)).await {
            Err(_) => Err(fault("the mail server took too long".into(), false)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                let words = match error.status() {
                    // "permanent error (550): 550 no such user" says everything twice
                    Some(code) => format!("the mail server refused it with {code}{cause}"),
                    None => format!("{error}{}", if error.to_string().ends_with(&cause) { "" } else { &cause }),
                };
                Err(fault(words, error.is_permanent() && NO_SUCH_MAILBOX.contains(&code.as_str())))
            }
        }
    }
}

/// On one line, and not endless: a server may say anything.
fn shortened(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST_FAULT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_neither_travels_nor_prints_in_the_clear() {
        let url = |text: &str| text.parse::<SmtpUrl>().map(|url| url.0.to_string());
        assert_eq!(url("smtp://u:p@mail.example.com:587").unwrap(), "smtp://u:p@mail.example.com:587?tls=required");
        assert_eq!(url("smtp://mail.example.com?tls=none").unwrap(), "smtp://mail.example.com");
        assert_eq!(url("smtp://127.0.0.1:2525").unwrap(), "smtp://127.0.0.1:2525");
        assert_eq!(
            url("smtp://mail.example.com?tls=opportunistic").unwrap(),
            "smtp://mail.example.com?tls=opportunistic"
        );
        assert!(url("smtps://u:p@mail.example.com").is_ok());
        for bad in ["", "mail.example.com", "http://mail.example.com", "smtp://h?tls=perhaps", "smtp://user:hush@"] {
            let fault = url(bad).expect_err(bad);
            assert!(!fault.contains("hush"), "{fault}");
        }
        let printed = format!("{:?}", "smtp://user:hush@mail.example.com".parse::<SmtpUrl>().unwrap());
        assert!(!printed.contains("hush") && printed.contains("mail.example.com"), "{printed}");
    }

    #[test]
    fn what_a_server_says_is_one_short_line() {
        assert_eq!(shortened("550\r\n no such\tuser\u{7}"), "550 no such user");
        assert_eq!(shortened(&"x".repeat(1000)).len(), LONGEST_FAULT);
    }
}
