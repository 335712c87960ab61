//! Mail on its way out. Whoever has something to say puts it into the outbox in the transaction that it is about
//! ([`enqueue`]), so that neither a crash nor a mail server that is away loses it; [`sender`] delivers it.
//!
//! Another slice says what a letter holds (a function that builds a [`Letter`]) and what it is about: a word and an id,
//! by which the page of that thing asks what became of it ([`latest`]).
mod letter;
mod outbox;
pub mod sender;
mod smtp;

use std::sync::Arc;

use clap::Args;
use tokio::sync::Notify;

pub use letter::{Letter, Part};
pub use outbox::{Mail, Outgoing, Standing, cancel, enqueue, latest, purge};
pub use smtp::{SmtpUrl, check};

/// How mail leaves. Without a server, links are shown to whoever makes them.
#[derive(Debug, Clone, Args)]
pub struct MailSettings {
    /// The server that takes mail: <smtp://USER:PASSWORD@HOST:587?tls=required> (STARTTLS, the default but for this
    /// machine), <smtps://HOST>, or tls=none
    #[arg(long, env = "TRIBUTARY_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<SmtpUrl>,
    /// Whom mail is from, such as "Tributary <hub@example.com>"
    #[arg(long, env = "TRIBUTARY_MAIL_FROM")]
    pub mail_from: Option<lettre::message::Mailbox>,
}

/// What handlers know of mail: whether it can be sent at all, and how to have it sent at once.
#[derive(Clone, Default)]
pub struct Mailer {
    configured: bool,
    waiting: Arc<Notify>,
}

impl Mailer {
    /// As the settings say.
    pub fn new(settings: &MailSettings) -> Self {
        Self { configured: settings.smtp_url.is_some(), waiting: Arc::default() }
    }

    /// Whether there is a server to send by.
    pub fn is_configured(&self) -> bool {
        self.configured
    }

    /// Something was put into the outbox: it need not wait for the next look.
    pub fn wake(&self) {
        self.waiting.notify_one();
    }
}
