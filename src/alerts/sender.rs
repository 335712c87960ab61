//! Tells channels what they wait for. A web request that is not answered with 2xx is tried again, from five seconds to
//! a day apart; letters go into the outbox, all that waits for one address in one of them.
use std::{sync::Arc, time::Duration};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::{sync::Notify, task::JoinSet};

use super::{
    Channel, Standing, Way, sign,
    store::{self, Attempt, Claimed},
};
use crate::{
    app::App,
    error::{Error, Result},
    http_client::Request,
    mail::{self, Letter, Mail, Part},
};

/// How often to look when nobody says that something waits.
const LOOK: Duration = Duration::from_secs(1);
/// Requests under way at once, so that a slow receiver does not hold up the others.
const AT_ONCE: usize = 8;
/// How long a request may take, from its beginning to the end of its answer.
const TIME: Duration = Duration::from_secs(15);
/// How much of an answer is read, and how much of that is kept.
const READ: usize = 4 << 10;
const KEPT: usize = 500;
/// How long requests under way may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// How to have something sent at once. Cheap to clone.
#[derive(Clone, Default)]
pub struct Herald(Arc<Notify>);

impl Herald {
    /// Something waits.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Sends until the app is stopping. Requests under way get a moment to end; what is cut off is sent again.
pub async fn run(app: App) {
    let mut under_way = JoinSet::new();
    while !app.stopping.is_cancelled() {
        while under_way.len() < AT_ONCE {
            match store::claim(&app.db, &app.clock).await {
                Ok(Some(claimed)) => {
                    let app = app.clone();
                    under_way.spawn(async move {
                        if let Err(error) = deliver(&app, &claimed).await {
                            tracing::warn!(notice = %claimed.id, %error, "a notice could not be worked off; it is tried again");
                        }
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "notices cannot be worked off at the moment");
                    break;
                }
            }
        }
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            () = app.herald.0.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = app.stopping.cancelled() => {}
        }
    }
    let ended = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, ended).await.is_err() {
        tracing::warn!("alerts under way were cut off; they are sent again later");
    }
}

async fn deliver(app: &App, claimed: &Claimed) -> Result<()> {
    let channel = claimed.channel(&app.db).await?;
    let given_up = |words: &str| Attempt { fault: Some(words.to_owned()), for_good: true, ..Attempt::default() };
    let attempt = match channel {
        // it was removed, and its notices with it
        None => return Ok(()),
        Some(channel) if !channel.enabled && claimed.event != super::message::TEST => given_up("the channel is paused"),
        Some(channel) if channel.kind == Way::Web => post(app, &channel, claimed).await,
        Some(_) if !app.mail.is_configured() => {
            given_up("there is no mail server: start the server with --smtp-url and --mail-from")
        }
        Some(channel) => match write(app, channel, claimed).await {
            Ok(lines) => {
                app.metrics.alerts.sent.increment(lines);
                return Ok(());
            }
            Err(error) => error.into(),
        },
    };
    let counts = &app.metrics.alerts;
    let (fault, status) = (attempt.fault.clone(), attempt.status);
    match claimed.ended(&app.db, &app.clock, attempt).await? {
        Standing::Sent => {
            counts.sent.increment(1);
            tracing::info!(notice = %claimed.id, attempts = claimed.attempts, "alert delivered");
        }
        Standing::Waiting => {
            counts.retried.increment(1);
            tracing::warn!(notice = %claimed.id, attempts = claimed.attempts, status, fault, "alert not taken; it is tried again");
        }
        Standing::Failed => {
            counts.failed.increment(1);
            tracing::error!(notice = %claimed.id, attempts = claimed.attempts, status, fault, "alert given up");
        }
    }
    Ok(())
}

/// One signed request.
async fn post(app: &App, channel: &Channel, claimed: &Claimed) -> Attempt {
    let now = app.clock.now();
    let secrets = match store::secrets(&app.db, &app.keys, channel, now).await {
        Ok(secrets) => secrets,
        Err(error) => return error.into(),
    };
    let Ok(url) = channel.address.parse::<url::Url>() else {
        return Attempt { fault: Some("this is no address".into()), for_good: true, ..Attempt::default() };
    };
    let (id, timestamp) = (format!("msg_{}", claimed.id.0.simple()), now.timestamp());
    let signature = sign::signatures(&secrets, &id, timestamp, &claimed.body);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature)]
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    match app.client.send(Request::post(url, headers, claimed.body.clone(), TIME)).await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // the status is the answer: that the rest breaks off changes nothing
            let text = start(&answer.start(READ).await);
            let fault = match status {
                200..300 => None,
                300..400 => {
                    Some("it answered with a redirect, which is not followed: give the final address".to_owned())
                }
                status => Some(format!("it answered {status}, not 2xx")),
            };
            // gone: whoever is there says that nobody is
            let for_good = status == 410;
            Attempt { status: Some(status), answer: text, fault, for_good }
        }
        Err(fault) => Attempt { fault: Some(fault.to_string()), ..Attempt::default() },
    }
}

/// How an answer begins, as far as it is text; without NUL, which PostgreSQL does not keep.
fn start(body: &[u8]) -> Option<String> {
    let text: String =
        String::from_utf8_lossy(body).chars().filter(|c| !c.is_control() || *c == '\n').take(KEPT).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Puts all that waits for an address into one letter, and says how much that was.
async fn write(app: &App, channel: Channel, claimed: &Claimed) -> Result<u64> {
    let (clock, keys, base) = (app.clock.clone(), app.keys.clone(), app.public_base.clone());
    let claimed =
        Claimed { body: claimed.body.clone(), title: claimed.title.clone(), event: claimed.event.clone(), ..*claimed };
    let lines = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let lines = claimed.gather(tx, clock.now()).await?;
                if lines.is_empty() {
                    return Ok(0);
                }
                let letter = letter(&lines, &channel, &base)?;
                let about = about(&channel);
                mail::enqueue(tx, &clock, &keys, Mail { to: channel.address, letter, about, good_until: None }).await?;
                Ok(lines.len() as u64)
            })
        })
        .await?;
    app.mail.wake();
    Ok(lines)
}

/// What the outbox calls letters to a channel.
pub fn about(channel: &Channel) -> String {
    format!("alert-channel:{}", channel.id)
}

fn letter(lines: &[store::Line], channel: &Channel, base: &str) -> Result<Letter> {
    let subject = match lines {
        [only] => format!("Tributary: {}", only.title),
        [first, rest @ ..] => format!("Tributary: {}, and {} more", first.title, rest.len()),
        [] => return Err(Error::internal(anyhow::anyhow!("a letter without a line"))),
    };
    let mut parts = Vec::new();
    for line in lines {
        let body: Value = serde_json::from_str(&line.body).map_err(Error::internal)?;
        let said = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let tenant = said("/data/tenant/name");
        let title = if tenant.is_empty() { line.title.clone() } else { format!("{tenant} · {}", line.title) };
        parts.push(Part::text(title));
        parts.push(Part::text(said("/data/text")));
        let url = said("/data/url");
        if !url.is_empty() {
            parts.push(Part::Link { label: "Open it in Tributary".into(), url });
        }
    }
    let scope = if channel.tenant_id == super::INSTALLATION {
        String::new()
    } else {
        format!("/tenants/{}", channel.tenant_id)
    };
    parts.push(Part::Link { label: "Whom alerts are told".into(), url: format!("{base}{scope}/alerts") });
    Ok(Letter { subject: one_line(&subject), parts })
}

/// A subject stands on one line, and is no longer than mail programs show.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(180).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_as_far_as_it_is_short_text() {
        assert_eq!(start(b""), None);
        assert_eq!(start(b"ok\0\x07\n").as_deref(), Some("ok"));
        assert_eq!(start(&vec![b'a'; 4_000]).unwrap().len(), KEPT);
        assert_eq!(start(&[0xff, b'a']).as_deref(), Some("\u{fffd}a"));
        assert!(!one_line("a\r\nBcc: b").contains(['\r', '\n']));
    }
}
