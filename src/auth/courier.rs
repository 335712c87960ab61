//! How a link that lets somebody in reaches them: by mail when there is a mail server, else by the hands of whoever
//! made it.
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    app::App,
    clock::Clock,
    crypto::{Secret, seal::Keyring},
    db::Tx,
    error::Result,
    mail::{self, Letter, Mail, Part},
};

/// Carries links.
#[derive(Clone)]
pub struct Courier {
    /// The address of this server, without a slash at its end.
    base: Arc<str>,
    /// What letters are sealed with; none: links are shown.
    by_mail: Option<Keyring>,
}

/// Where a link went.
#[derive(Debug, Clone)]
pub enum Delivered {
    /// Into the outbox, to this address.
    Mailed(String),
    /// To whoever made it, to be shown once.
    Shown(Secret),
}

/// A link with what is said about it.
pub(crate) struct Parcel<'a> {
    /// None: it is shown, and not sent.
    pub(crate) to: Option<&'a str>,
    pub(crate) about: String,
    /// `/invitation`.
    pub(crate) path: &'static str,
    pub(crate) secret: &'a Secret,
    pub(crate) good_until: DateTime<Utc>,
    /// Writes the letter around the link: who stands behind it, the address of this server, the link.
    pub(crate) letter: &'a (dyn Fn(&str, &str, String) -> Letter + Sync),
    /// Who or what stands behind it, for the letter.
    pub(crate) from: &'a str,
}

impl Courier {
    /// As the server does it.
    pub fn of(app: &App) -> Self {
        Self { base: app.public_base.clone(), by_mail: app.mail.is_configured().then(|| app.keys.clone()) }
    }

    /// One that shows links to who made them: the command line.
    pub fn by_hand(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').into(), by_mail: None }
    }

    /// Sends a link off, in the transaction that makes it. Mail with an older link about the same is taken back.
    pub(crate) async fn deliver(&self, tx: &mut Tx, clock: &Clock, parcel: Parcel<'_>) -> Result<Delivered> {
        mail::cancel(tx, &parcel.about).await?;
        let url = format!("{}{}?token={}", self.base, parcel.path, parcel.secret.reveal());
        let (Some(keys), Some(to)) = (&self.by_mail, parcel.to) else {
            return Ok(Delivered::Shown(Secret::given(url)));
        };
        let mail = Mail {
            to: to.to_owned(),
            letter: (parcel.letter)(parcel.from, &self.base, url),
            about: parcel.about,
            good_until: Some(parcel.good_until),
        };
        mail::enqueue(tx, clock, keys, mail).await?;
        Ok(Delivered::Mailed(to.to_owned()))
    }
}

/// The letter with an invitation by `from`.
pub(super) fn invitation_letter(from: &str, base: &str, url: String) -> Letter {
    // invited on the command line, there is no person to name
    let who = if from == "cli" { "An administrator".to_owned() } else { from.to_owned() };
    Letter {
        subject: "You are invited to Tributary".into(),
        parts: vec![
            Part::text(format!("{who} invites you to Tributary at {base}.")),
            Part::Link { label: "Choose your password and sign in".into(), url },
            Part::text("The link works once, for seven days. If you did not expect this, leave it: nothing happens."),
        ],
    }
}

/// The letter with a link to choose a new password.
pub(super) fn reset_letter(_: &str, base: &str, url: String) -> Letter {
    Letter {
        subject: "Choose a new password for Tributary".into(),
        parts: vec![
            Part::text(format!("Somebody asked for a new password for your account at {base}.")),
            Part::Link { label: "Choose a new password".into(), url },
            Part::text("The link works once, for one hour. If it was not you, leave it: your password stays as it is."),
        ],
    }
}
