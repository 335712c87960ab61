//! How often somebody may try a password: freely a few times, then after a delay that doubles with each failure.
//! Counted for the account and for the client's address, before the password is looked at, so that guesses made side
//! by side count like guesses made one after another.
use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, Duration, Utc};

use super::hours;
use crate::{
    clock::Clock,
    crypto,
    db::{Db, Tx},
    error::Result,
    ids::UserId,
    sql,
};

/// Failures of one account before it has to wait.
const FREE_OF_ACCOUNT: i64 = 5;
/// Failures from one address before it has to wait: more, since a whole office may share it.
const FREE_OF_ADDRESS: i64 = 20;
/// The first delay; it doubles from there.
const FIRST_DELAY: i64 = 2;
/// The longest delay, in seconds.
const LONGEST_DELAY: i64 = 15 * 60;
/// When failures no longer count.
pub(super) const FORGOTTEN: Duration = hours(24);

/// An attempt that is counted as a failure until [`Attempt::forgive`] says otherwise.
#[derive(Debug)]
pub struct Attempt {
    address: String,
    account: String,
}

/// What becomes of a wish to try.
#[derive(Debug)]
pub enum Reserved {
    /// Go on.
    Go(Attempt),
    /// Not before this time.
    Wait(DateTime<Utc>),
}

/// What somebody tries. Each is counted by itself: whoever knows a password must not be able to wipe out the failed
/// codes by signing in halfway once more.
#[derive(Debug, Clone, Copy)]
pub enum Trying<'a> {
    /// The password of an account.
    Password(&'a str),
    /// The code of a second factor.
    Code(UserId),
    /// To have a link sent to an address. It never succeeds, and so it is always counted.
    Link(&'a str),
}

#[derive(sqlx::FromRow)]
struct Tally {
    failures: i64,
    blocked_until: DateTime<Utc>,
}

/// Counts an attempt at the password of `email`, whether it has an account or not, and for `address`; or says how
/// long to wait.
///
/// # Errors
/// When the database does.
pub async fn reserve(db: &Db, clock: &Clock, email: &str, address: IpAddr) -> Result<Reserved> {
    reserve_for(db, clock, Trying::Password(email), address).await
}

/// As [`reserve`], for anything that can be tried.
///
/// # Errors
/// When the database does.
pub async fn reserve_for(db: &Db, clock: &Clock, trying: Trying<'_>, address: IpAddr) -> Result<Reserved> {
    let attempt = Attempt {
        address: address_subject(matches!(trying, Trying::Link(_)), address),
        account: match trying {
            Trying::Password(email) => account_subject(email),
            Trying::Code(user) => subject("code", user.0.as_bytes()),
            Trying::Link(email) => subject("link", email.trim().to_lowercase().as_bytes()),
        },
    };
    // who is blocked and keeps knocking costs a read and no write
    for (subject, free) in attempt.subjects() {
        let tally = sql!(
            opt Tally,
            db,
            "SELECT failures, blocked_until FROM login_attempts WHERE subject = $1",
            subject,
        )?;
        if let Some(until) = tally.and_then(|tally| tally.blocks(free, clock.now())) {
            return Ok(Reserved::Wait(until));
        }
    }
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let mut tallies = Vec::with_capacity(2);
            for (subject, free) in attempt.subjects() {
                let tally = lock(tx, subject, clock.now()).await?;
                // the time is asked for again: there may have been a wait for the lock
                if let Some(until) = tally.blocks(free, clock.now()) {
                    return Ok(Reserved::Wait(until));
                }
                tallies.push(tally);
            }
            for ((subject, free), tally) in attempt.subjects().into_iter().zip(tallies) {
                count(tx, subject, &tally, free, clock.now()).await?;
            }
            Ok(Reserved::Go(attempt))
        })
    })
    .await
}

impl Tally {
    /// Until when it keeps one from trying. Without a delay, `blocked_until` is the moment of the last attempt, which
    /// the clock of another machine may have told, and blocks nobody.
    fn blocks(&self, free: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (self.failures >= free && self.blocked_until > now).then_some(self.blocked_until)
    }
}

impl Attempt {
    /// What is counted, and how many failures are free. Always the address first, so that two of these cannot wait
    /// for each other.
    fn subjects(&self) -> [(&str, i64); 2] {
        [(&self.address, FREE_OF_ADDRESS), (&self.account, FREE_OF_ACCOUNT)]
    }

    /// It was the right password: the account begins anew. The address is forgiven this one attempt and no more, or
    /// whoever owns an account could go on guessing at others from there.
    pub(super) async fn forgive(&self, tx: &mut Tx, clock: &Clock) -> Result<()> {
        sql!(
            exec tx,
            "UPDATE login_attempts SET failures = failures - 1, blocked_until = $1 WHERE subject = $2 AND failures > 0",
            clock.now(),
            &self.address,
        )?;
        sql!(exec tx, "DELETE FROM login_attempts WHERE subject = $1", &self.account)?;
        Ok(())
    }

    /// As [`Attempt::forgive`], in a transaction of its own.
    ///
    /// # Errors
    /// When the database does.
    pub async fn succeeded(self, db: &Db, clock: &Clock) -> Result<()> {
        let clock = clock.clone();
        db.write(move |tx| Box::pin(async move { self.forgive(tx, &clock).await })).await
    }
}

/// Whoever has a new password by link need not wait for the failures with the old one.
pub(super) async fn begin_anew(tx: &mut Tx, email: &str) -> Result<()> {
    sql!(exec tx, "DELETE FROM login_attempts WHERE subject = $1", account_subject(email))?;
    Ok(())
}

/// Reads the tally of a subject and keeps everybody else from it until the transaction ends.
async fn lock(tx: &mut Tx, subject: &str, now: DateTime<Utc>) -> Result<Tally> {
    let tally = sql!(
        one Tally,
        tx,
        "INSERT INTO login_attempts (subject, failures, blocked_until) VALUES ($1, 0, $2)
         ON CONFLICT (subject) DO UPDATE SET failures = login_attempts.failures
         RETURNING failures, blocked_until",
        subject,
        now,
    )?;
    Ok(tally)
}

async fn count(tx: &mut Tx, subject: &str, tally: &Tally, free: i64, now: DateTime<Utc>) -> Result<()> {
    let remembered = if now - tally.blocked_until > FORGOTTEN { 0 } else { tally.failures };
    let failures = remembered + 1;
    sql!(
        exec tx,
        "UPDATE login_attempts SET failures = $1, blocked_until = $2 WHERE subject = $3",
        failures,
        now + delay(failures, free),
        subject,
    )?;
    Ok(())
}

/// How long to wait after so many failures.
fn delay(failures: i64, free: i64) -> Duration {
    let beyond = failures - free;
    let seconds = match beyond {
        ..0 => 0,
        0..10 => FIRST_DELAY << beyond,
        _ => LONGEST_DELAY,
    };
    Duration::seconds(seconds.min(LONGEST_DELAY))
}

fn account_subject(email: &str) -> String {
    subject("account", email.trim().to_lowercase().as_bytes())
}

/// Of IPv6 the network of a household counts: whoever has one has all of its addresses.
fn address_subject(for_links: bool, address: IpAddr) -> String {
    let network = match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    };
    // an office that asks for many links can still sign in
    subject(if for_links { "link-address" } else { "address" }, network.to_string().as_bytes())
}

fn subject(kind: &str, what: &[u8]) -> String {
    format!("{kind}:{}", crypto::base64url(&crypto::sha256(what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_to_a_quarter_of_an_hour() {
        let delays: Vec<i64> =
            [1, 4, 5, 6, 7, 12, 13, 14, 15, 99].map(|failures| delay(failures, 5).num_seconds()).into();
        assert_eq!(delays, [0, 0, 2, 4, 8, 256, 512, 900, 900, 900]);
    }

    #[test]
    fn accounts_are_told_apart_and_their_spellings_are_not() {
        assert_eq!(account_subject(" Ada@example.com"), account_subject("ada@example.com"));
        assert_ne!(account_subject("ada@example.com"), account_subject("bob@example.com"));
        assert!(!account_subject("ada@example.com").contains("ada"));
    }

    #[test]
    fn a_household_counts_once() {
        let subject_of = |text: &str| address_subject(false, text.parse().expect("an address"));
        assert_eq!(subject_of("2001:db8:0:1::1"), subject_of("2001:db8:0:1:ffff::2"));
        assert_ne!(subject_of("2001:db8:0:1::1"), subject_of("2001:db8:0:2::1"));
        assert_ne!(subject_of("192.0.2.1"), subject_of("192.0.2.2"));
    }
}
