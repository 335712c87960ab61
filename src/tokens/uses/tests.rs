//! The use of tokens: what is kept in mind, and what reaches the database.
use super::*;
use crate::{auth::Actor, clock::Clock, db::testing::each, sql, tenants::testing::tenant, tokens};

fn glimpse(at: DateTime<Utc>, address: &str) -> Glimpse<'static> {
    let address = address.parse().unwrap();
    Glimpse { at, address, place: Place::Header, agent: b"curl/8.14.1", origin: None }
}

#[test]
fn addresses_are_told_by_their_network() {
    for (address, network) in
        [("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")]
    {
        assert_eq!(network_of(address.parse().unwrap()).to_string(), network);
    }
}

#[test]
fn nothing_is_written_twice_and_a_network_seldom_again() {
    let (now, mut recent) = (Clock::system().now(), Recent::default());
    assert!(recent.take().is_none());
    recent.see(&glimpse(now, "192.0.2.7"));
    assert_eq!(recent.take().unwrap().networks.len(), 1);
    assert!(recent.take().is_none());
    recent.see(&glimpse(now + TimeDelta::minutes(9), "192.0.2.8"));
    let news = recent.take().unwrap();
    assert_eq!(news.used.unwrap().address, "192.0.2.8");
    assert!(news.networks.is_empty());
    recent.see(&glimpse(now + TimeDelta::minutes(10), "192.0.2.8"));
    assert_eq!(recent.take().unwrap().networks.len(), 1);
}

#[test]
fn a_sender_from_everywhere_fills_no_memory() {
    let (now, mut recent) = (Clock::system().now(), Recent::default());
    for n in 0..200 {
        recent.see(&glimpse(now, &format!("10.0.{n}.1")));
        assert!(recent.networks.len() <= NETWORKS);
    }
    assert_eq!(recent.take().unwrap().networks.len(), NETWORKS);
    recent.see(&Glimpse { agent: &[b'x'; 9000], ..glimpse(now, "10.1.1.1") });
    assert_eq!(recent.agent.len(), LONGEST);
    assert_eq!(recent.take().unwrap().networks[0].network.to_string(), "10.1.1.0/24", "room is made");
}

async fn known(db: &Db, tenant: TenantId) -> Known {
    let details = tokens::Details::named("shop".parse().unwrap());
    let (clock, secret) = (Clock::system(), tokens::Secret::generate());
    tokens::create(db, &clock, &Actor::cli().permit(tenant).unwrap(), &secret, details).await.unwrap();
    tokens::all(db).await.unwrap().into_iter().find(|known| known.tenant == tenant).unwrap()
}

#[tokio::test]
async fn what_was_seen_is_written_and_only_moves_on() {
    each(async |db| {
        let (tenant, now) = (tenant(&db, "Acme").await, Clock::system().now());
        let (token, permit) = (known(&db, tenant).await, Actor::cli().permit(tenant).unwrap());
        // two processes, the second one behind
        let (here, there) = (Uses::default(), Uses::default());
        let page = b"https://shop.example.com".as_slice();
        let late = now + TimeDelta::minutes(5);
        here.note(&token, &Glimpse { place: Place::Query, origin: Some(page), ..glimpse(late, "192.0.2.7") });
        there.note(&token, &glimpse(now, "198.51.100.1"));
        there.refuse(&token, &glimpse(now, "203.0.113.9"), Why::Network);
        here.flush(&db).await.unwrap();
        there.flush(&db).await.unwrap();
        let seen = tokens::watch(&db, &permit, now).await.unwrap().remove(0);
        let last = seen.last_use.unwrap();
        assert_eq!(seen.token.last_used_at, Some(late));
        assert_eq!((last.used_at, last.address.as_deref()), (Some(late), Some("192.0.2.7")));
        assert_eq!((last.agent.as_deref(), last.place), (Some("curl"), Some(Place::Query)));
        assert_eq!((last.query_at, last.origin.as_deref()), (Some(late), Some("https://shop.example.com")));
        assert_eq!((last.refused_at, last.refused_why), (Some(now), Some(Why::Network)));
        let networks: Vec<_> = seen.networks.iter().map(|one| one.network.as_str()).collect();
        assert_eq!(networks, ["192.0.2.0/24", "198.51.100.0/24"], "newest first");

        here.note(&token, &glimpse(late + TimeDelta::minutes(5), "192.0.2.9"));
        here.flush(&db).await.unwrap();
        let last = tokens::watch(&db, &permit, now).await.unwrap().remove(0).last_use.unwrap();
        assert_eq!((last.place, last.query_at), (Some(Place::Header), Some(late)), "the query is not forgotten");
    })
    .await;
}

#[tokio::test]
async fn networks_of_a_token_are_bounded() {
    each(async |db| {
        let (tenant, now) = (tenant(&db, "Acme").await, Clock::system().now());
        let (token, uses) = (known(&db, tenant).await, Uses::default());
        let count = async || sql!(value i64, &db, "SELECT COUNT(*) FROM token_networks").unwrap();
        for round in 0..7 {
            for n in 0..30 {
                uses.note(&token, &glimpse(now, &format!("10.{round}.{n}.1")));
            }
            uses.flush(&db).await.unwrap();
        }
        assert_eq!(count().await, 100);
        uses.note(&token, &glimpse(now + TimeDelta::days(91), "192.0.2.1"));
        uses.flush(&db).await.unwrap();
        assert_eq!(count().await, 1, "those of long ago make room");
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_written_is_written_later() {
    each(async |db| {
        let (tenant, now) = (tenant(&db, "Acme").await, Clock::system().now());
        let (token, uses) = (known(&db, tenant).await, Uses::default());
        uses.note(&token, &glimpse(now, "192.0.2.7"));
        let hide = "ALTER TABLE token_networks RENAME TO hidden";
        db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, hide)?) })).await.unwrap();
        assert!(uses.flush(&db).await.is_err());
        let permit = Actor::cli().permit(tenant).unwrap();
        let back = "ALTER TABLE hidden RENAME TO token_networks";
        db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, back)?) })).await.unwrap();
        assert!(tokens::watch(&db, &permit, now).await.unwrap()[0].last_use.is_none(), "all of it or nothing");
        uses.flush(&db).await.unwrap();
        let seen = tokens::watch(&db, &permit, now).await.unwrap().remove(0);
        assert!(seen.last_use.is_some() && seen.networks.len() == 1);
    })
    .await;
}
