//! The SQL of accounts: who there is, who is signed in, who may set up the installation, who tries too often.
mod attempts;
mod sessions;
mod setup;
mod users;

use chrono::Duration;

use crate::{clock::Clock, db::Db, error::Result, sql};

pub use attempts::{Attempt, Reserved, reserve};
pub use sessions::{
    Found, LIFETIME, NewSession, Origin, SessionRow, end_session, find_session, list_sessions, revoke_other_sessions,
    revoke_session, start_session, touch_session,
};
pub use setup::{first_administrator, nobody_yet, setup_link, setup_link_works};
pub use users::{NewUser, User, add_user, change_password, credentials, list_users, own_password_hash, set_theme};

/// Throws away what time has made useless: sessions and set-up links that ran out, attempts long forgotten.
///
/// # Errors
/// When the database does.
pub async fn purge(db: &Db, clock: &Clock) -> Result<()> {
    let now = clock.now();
    db.write(move |tx| {
        Box::pin(async move {
            sql!(
                exec tx,
                "DELETE FROM sessions WHERE expires_at <= $1 OR seen_at <= $2",
                now,
                now - sessions::IDLE,
            )?;
            sql!(exec tx, "DELETE FROM setup_links WHERE expires_at <= $1", now)?;
            sql!(exec tx, "DELETE FROM login_attempts WHERE blocked_until <= $1", now - attempts::FORGOTTEN)?;
            Ok(())
        })
    })
    .await
}

/// Days and hours as constants: `Duration::days` panics on what cannot be, and so is no constant by itself.
const fn hours(count: i64) -> Duration {
    Duration::seconds(count * 3600)
}
