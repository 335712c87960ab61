//! The SQL of accounts: who there is and who is invited, who is signed in, who may set up the installation, who tries
//! too often, and who forgot their password.
mod attempts;
mod invitations;
mod people;
mod resets;
mod second_factor;
mod sessions;
mod setup;
mod users;

use chrono::Duration;

use crate::{clock::Clock, db::Db, error::Result, sql};

pub use attempts::{Attempt, Reserved, Trying, reserve, reserve_for};
pub use invitations::{
    Invitation, Invited, NewInvitation, Offer, accept, invitation, invitations, invitations_of_tenant, invite,
    invite_customer, offer, resend_invitation, resend_to_customer, revoke_customer_invitation, revoke_invitation,
};
pub(crate) use people::address_of;
pub use people::{
    Colleague, Filter, Person, StateOfAccount, change_role, colleagues, customers_of, deactivate, end_sessions_of,
    list_people, person, person_by_email, reactivate, require_second_factor, second_factor_is_required,
    staff_without_second_factor,
};
pub use resets::{reset_by_administrator, reset_by_owner, reset_offer, reset_password};
pub use second_factor::{
    CODES, Enrolment, RecoveryCodes, Standing, begin_enrolment, confirm_enrolment, disable_second_factor, enrolment,
    finish_login, half_login, new_recovery_codes, reset_second_factor, second_factor,
};
pub use sessions::{
    Found, LIFETIME, NewSession, Origin, SessionRow, Started, end_session, find_session, list_sessions,
    revoke_other_sessions, revoke_session, sessions_of, start_session, touch_session,
};
pub use setup::{first_administrator, nobody_yet, setup_link, setup_link_works};
pub use users::{
    NewUser, add_user, change_password, credentials, own_password_hash, set_shortcuts, set_theme, set_time_zone,
};

/// Throws away what time has made useless: sessions, links and half logins that ran out, attempts long forgotten.
/// Invitations that ran out stay a while, so that who invited can see that and send them anew.
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
            sql!(exec tx, "DELETE FROM password_resets WHERE expires_at <= $1", now)?;
            sql!(exec tx, "DELETE FROM half_logins WHERE expires_at <= $1", now)?;
            sql!(exec tx, "DELETE FROM invitations WHERE expires_at <= $1", now - invitations::SHOWN_EXPIRED)?;
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
