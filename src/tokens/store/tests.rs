//! Tokens in the database, on both.
use super::*;
use crate::{
    auth::{Actor, Configure},
    clock::Clock,
    db::testing::each,
    event_types,
    ids::EventTypeId,
    tenants,
    tokens::{self, Secret, State},
};

async fn tenant(db: &Db) -> TenantId {
    let cli = Actor::cli();
    let made = tenants::create(db, &Clock::system(), &cli.grant().unwrap(), None, "Acme".parse().unwrap()).await;
    made.unwrap().id
}

fn named(name: &str) -> Details {
    Details::named(name.parse().unwrap())
}

#[tokio::test]
async fn a_token_is_kept_as_digest_and_prefix_alone() {
    each(|db| async move {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let tenant = tenant(&db).await;
        let permit = cli.permit::<Configure>(tenant).unwrap();
        let read = cli.permit::<ReadConfiguration>(tenant).unwrap();
        let event_type = event_types::Details::named("Sale".parse().unwrap());
        let event_type = event_types::create(&db, &clock, &permit, None, event_type).await.unwrap().id;
        let secret = Secret::generate();
        let details = Details {
            event_types: Some(vec![event_type]),
            addresses: tokens::parse_networks(["10.0.0.0/8", "2001:db8::/32"]).unwrap(),
            can_configure: true,
            expires_at: Some(tokens::parse_expiry("30d", clock.now()).unwrap()),
            ..named("shop")
        };
        let made = create(&db, &clock, &permit, &secret, details.clone()).await.unwrap();
        assert_eq!(get(&db, &read, made.id).await.unwrap(), made);
        assert_eq!(list(&db, &read).await.unwrap(), std::slice::from_ref(&made));

        let known = all(&db).await.unwrap();
        assert_eq!(known[0].digest, digest_of(&secret));
        assert_eq!((known[0].tenant, known[0].id), (tenant, made.id));
        assert!(known[0].covers(event_type) && !known[0].covers(EventTypeId::new(&clock)));
        assert_eq!((&known[0].addresses, known[0].can_configure), (&details.addresses, true));
        assert_eq!(known[0].expires_at, details.expires_at);

        let trail = sql!(values Option<String>, &db, "SELECT after FROM audit").unwrap();
        let hidden = &secret.expose()[12..];
        assert!(trail.iter().flatten().all(|after| !after.contains(hidden)));
    })
    .await;
}

fn digest_of(secret: &Secret) -> [u8; 32] {
    tokens::digest(secret.expose())
}

#[tokio::test]
async fn revoking_is_for_ever_and_twice_is_once() {
    each(|db| async move {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let tenant = tenant(&db).await;
        let permit = cli.permit::<Configure>(tenant).unwrap();
        let secret = Secret::generate();
        let made = create(&db, &clock, &permit, &secret, named("shop")).await.unwrap();
        assert_eq!(made.state(clock.now()), tokens::State::Active);
        let gone = revoke(&db, &clock, &permit, made.id).await.unwrap();
        assert_eq!(gone.state(clock.now()), tokens::State::Revoked);
        clock.advance(60);
        assert_eq!(revoke(&db, &clock, &permit, made.id).await.unwrap(), gone);
        assert!(all(&db).await.unwrap().is_empty());
        let trail = sql!(value i64, &db, "SELECT COUNT(*) FROM audit WHERE action = 'token.revoke'").unwrap();
        assert_eq!(trail, 1);
        // and it cannot be brought back by importing it
        assert!(matches!(create(&db, &clock, &permit, &secret, named("x")).await, Err(Error::Conflict(_))));
    })
    .await;
}

#[tokio::test]
async fn a_token_stays_within_its_tenant() {
    each(|db| async move {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let (own, other) = (tenant(&db).await, tenant(&db).await);
        let event_type = event_types::Details::named("Sale".parse().unwrap());
        let foreign = event_types::create(&db, &clock, &cli.permit(other).unwrap(), None, event_type).await.unwrap().id;
        let details = Details { event_types: Some(vec![foreign]), ..named("shop") };
        let refused = create(&db, &clock, &cli.permit(own).unwrap(), &Secret::generate(), details).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");

        let made = create(&db, &clock, &cli.permit(own).unwrap(), &Secret::generate(), named("shop")).await.unwrap();
        let foreign = revoke(&db, &clock, &cli.permit(other).unwrap(), made.id).await;
        assert!(matches!(foreign, Err(Error::NotFound("token"))));
        assert!(matches!(get(&db, &cli.permit(other).unwrap(), made.id).await, Err(Error::NotFound("token"))));
        assert_eq!(all(&db).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn last_use_only_moves_forward_and_is_no_change_of_configuration() {
    each(|db| async move {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let tenant = tenant(&db).await;
        let made = create(&db, &clock, &cli.permit(tenant).unwrap(), &Secret::generate(), named("shop")).await.unwrap();
        let version = sql!(value i64, &db, "SELECT version FROM configuration").unwrap();
        let later = clock.now();
        for at in [later, later - chrono::Duration::seconds(5)] {
            db.write(move |tx| Box::pin(async move { used(tx, tenant, made.id, at).await })).await.unwrap();
        }
        let read = get(&db, &cli.permit(tenant).unwrap(), made.id).await.unwrap();
        assert_eq!(read.last_used_at, Some(later));
        assert_eq!(sql!(value i64, &db, "SELECT version FROM configuration").unwrap(), version);
    })
    .await;
}

/// What a test of changes begins with: a tenant, and a token that is a day old.
async fn shop(db: &Db, clock: &Clock) -> (Permit<Configure>, Token) {
    let permit = Actor::cli().permit(tenant(db).await).unwrap();
    let made = create(db, clock, &permit, &Secret::generate(), named("shop")).await.unwrap();
    clock.advance(86_400);
    (permit, made)
}

async fn read(db: &Db, permit: &Permit<Configure>, id: TokenId) -> Token {
    get(db, &Actor::cli().permit(permit.tenant()).unwrap(), id).await.unwrap()
}

/// When the front door lets nobody in any more, of the tokens it knows.
async fn ends(db: &Db, id: TokenId) -> Option<DateTime<Utc>> {
    all(db).await.unwrap().into_iter().find(|known| known.id == id).expect("it is known").expires_at
}

async fn trail(db: &Db) -> Vec<String> {
    sql!(values String, db, "SELECT action FROM audit WHERE action LIKE 'token.%' ORDER BY id").unwrap()
}

fn overlap(text: &str) -> Overlap {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_rolled_token_works_beside_its_successor_until_the_overlap_ends() {
    each(|db| async move {
        let clock = Clock::still();
        let (permit, old) = shop(&db, &clock).await;
        let details = Details {
            addresses: tokens::parse_networks(["10.0.0.0/8"]).unwrap(),
            can_configure: true,
            ..old.details.clone()
        };
        change(&db, &clock, &permit, old.id, &old.details.fingerprint(), details.clone()).await.unwrap();
        clock.advance(1);
        let secret = Secret::generate();
        let rolled = roll(&db, &clock, &permit, old.id, &secret, overlap("1h"), None).await.unwrap();
        assert_eq!(rolled.new.details, details, "the same scope");
        assert_eq!((rolled.old.successor_id, rolled.new.predecessor_id), (Some(rolled.new.id), Some(old.id)));
        let hour = clock.now() + chrono::Duration::hours(1);
        assert_eq!((ends(&db, old.id).await, ends(&db, rolled.new.id).await), (Some(hour), None));
        assert_eq!(read(&db, &permit, old.id).await, rolled.old);
        assert!(rolled.old.overlaps(clock.now()) && !rolled.old.overlaps(hour));
        assert_eq!(rolled.old.state(hour), State::Replaced);

        // prolonged, ended early, and brought back by whoever finds that its sender was not ready
        for (length, end) in [("7d", 7 * 24), ("now", 0), ("1d", 24)] {
            clock.advance(60);
            let token = set_overlap(&db, &clock, &permit, old.id, overlap(length)).await.unwrap();
            let end = Some(clock.now() + chrono::Duration::hours(end));
            assert_eq!((token.overlap_ends_at, ends(&db, old.id).await), (end, end), "{length}");
        }
        let actions = trail(&db).await;
        assert_eq!(
            actions,
            [
                "token.create",
                "token.change",
                "token.roll",
                "token.create",
                "token.overlap",
                "token.overlap",
                "token.overlap"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_has_one_successor_at_a_time() {
    each(|db| async move {
        let clock = Clock::still();
        let (permit, old) = shop(&db, &clock).await;
        let again = async |id| roll(&db, &clock, &permit, id, &Secret::generate(), overlap("1d"), None).await;
        // two at once: one of them is told
        let both = tokio::join!(again(old.id), again(old.id));
        let (first, told) = match both {
            (Ok(first), Err(told)) | (Err(told), Ok(first)) => (first.new, told),
            other => panic!("not one of two: {other:?}"),
        };
        assert!(matches!(told, Error::Conflict(_)), "{told:?}");
        // a chain
        let second = again(first.id).await.unwrap().new;
        assert_eq!(read(&db, &permit, first.id).await.successor_id, Some(second.id));
        assert!(matches!(again(old.id).await, Err(Error::Conflict(_))));
        // once the successor is revoked, there is room for another
        revoke(&db, &clock, &permit, first.id).await.unwrap();
        let third = again(old.id).await.unwrap();
        assert_eq!((third.old.successor_id, third.new.predecessor_id), (Some(third.new.id), Some(old.id)));
        assert!(matches!(again(first.id).await, Err(Error::Conflict(_))), "revoked");
        let single = read(&db, &permit, third.new.id).await;
        assert!(matches!(set_overlap(&db, &clock, &permit, single.id, overlap("1d")).await, Err(Error::Conflict(_))));
        assert!(matches!(set_overlap(&db, &clock, &permit, first.id, overlap("1d")).await, Err(Error::Conflict(_))));
    })
    .await;
}

#[tokio::test]
async fn an_overlap_never_outlives_the_expiry() {
    each(|db| async move {
        let clock = Clock::still();
        let (permit, old) = shop(&db, &clock).await;
        let soon = Some(clock.now() + chrono::Duration::hours(2));
        let details = Details { expires_at: soon, ..old.details.clone() };
        change(&db, &clock, &permit, old.id, &old.details.fingerprint(), details).await.unwrap();
        let rolled = roll(&db, &clock, &permit, old.id, &Secret::generate(), overlap("7d"), None).await.unwrap();
        assert_eq!((rolled.old.ends_at(), ends(&db, old.id).await), (soon, soon));
        assert_eq!(rolled.new.details.expires_at, None);
    })
    .await;
}

#[tokio::test]
async fn a_change_overwrites_nothing_that_was_not_seen() {
    each(|db| async move {
        let clock = Clock::still();
        let (permit, token) = shop(&db, &clock).await;
        let seen = token.details.fingerprint();
        let save = async |details| change(&db, &clock, &permit, token.id, &seen, details).await;
        let narrow = Details { addresses: tokens::parse_networks(["10.0.0.0/8"]).unwrap(), ..token.details.clone() };
        save(narrow.clone()).await.unwrap();
        // somebody else, who had opened the form before
        let told = save(Details { name: "web shop".parse().unwrap(), ..token.details.clone() }).await;
        assert!(matches!(told, Err(Error::Conflict(_))), "{told:?}");
        assert_eq!(read(&db, &permit, token.id).await.details, narrow);
        // the same once more is no change
        save(narrow).await.unwrap();
        assert_eq!(trail(&db).await, ["token.create", "token.change"]);

        let foreign = EventTypeId::new(&clock);
        let now = read(&db, &permit, token.id).await;
        let seen = now.details.fingerprint();
        let details = Details { event_types: Some(vec![foreign]), ..now.details.clone() };
        let refused = change(&db, &clock, &permit, token.id, &seen, details).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        revoke(&db, &clock, &permit, token.id).await.unwrap();
        let refused = change(&db, &clock, &permit, token.id, &seen, named("x")).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        let other = Actor::cli().permit(tenant(&db).await).unwrap();
        assert!(matches!(change(&db, &clock, &other, token.id, &seen, named("x")).await, Err(Error::NotFound(_))));
        let rolled = roll(&db, &clock, &other, token.id, &Secret::generate(), Overlap::NONE, None).await;
        assert!(matches!(rolled, Err(Error::NotFound(_))));
    })
    .await;
}

#[test]
fn overlaps_are_read() {
    for (text, shown) in [("now", "now"), ("0h", "now"), ("1h", "1h"), ("24h", "1d"), (" 7d ", "7d"), ("30d", "30d")] {
        assert_eq!(overlap(text).to_string(), shown);
    }
    for bad in ["", "31d", "1", "d", "-1d", "1w", "99999d", "soon"] {
        assert!(bad.parse::<Overlap>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_successor_knows_where_its_predecessor_came_from() {
    each(|db| async move {
        let clock = Clock::still();
        let (permit, old) = shop(&db, &clock).await;
        let came = async |token: TokenId, network: &str| {
            let (tenant, at, network) = (permit.tenant(), clock.now(), network.to_owned());
            let written = db.write(move |tx| {
                Box::pin(async move {
                    Ok(sql!(
                        exec tx,
                        "INSERT INTO token_networks (tenant_id, token_id, network, first_at, last_at)
                         VALUES ($1, $2, $3, $4, $4) ON CONFLICT (tenant_id, token_id, network) DO NOTHING",
                        tenant,
                        token,
                        network,
                        at,
                    )?)
                })
            });
            written.await.unwrap();
        };
        came(old.id, "192.0.2.0/24").await;
        clock.advance(30 * 24 * 3600);
        // whoever found the secret
        came(old.id, "198.51.100.0/24").await;
        clock.advance(3600);
        let new = roll(&db, &clock, &permit, old.id, &Secret::generate(), Overlap::NONE, None).await.unwrap().new;
        let told = async || {
            let read = permit.actor().permit(permit.tenant()).unwrap();
            let (all, now) = (uses::watch(&db, &read, clock.now()).await.unwrap(), clock.now());
            let one = uses::watch_one(&db, &read, new.id, now).await.unwrap().warnings;
            let listed = all.into_iter().find(|watched| watched.token.id == new.id).unwrap().warnings;
            assert_eq!(listed, one, "the list says what the page says");
            one.iter().map(tokens::Warning::word).collect::<Vec<_>>()
        };
        came(new.id, "192.0.2.0/24").await;
        assert_eq!(told().await, Vec::<&str>::new(), "it is its sender");
        clock.advance(60);
        came(new.id, "198.51.100.0/24").await;
        assert_eq!(told().await, ["new network"]);
    })
    .await;
}
