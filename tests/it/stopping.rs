//! Stopping under load: what was acknowledged is stored, what is under way is answered.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tributary::db::Db;

use crate::support::{Connection, TestApp, each};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let (gone, stored) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let senders: Vec<_> = (0..12)
            .map(|sender| {
                let (app, gone, stored) = (app.clone(), gone.clone(), stored.clone());
                tokio::spawn(async move {
                    let mut connection = Connection::open(to).await;
                    let mut acknowledged = Vec::new();
                    for n in 0.. {
                        let payload = format!(r#"{{"sender":{sender},"n":{n}}}"#);
                        match connection.ask(&app.to_type(id, payload.clone())).await {
                            Some(answer) if answer.status == 201 => {
                                acknowledged.push(payload);
                                stored.fetch_add(1, Ordering::SeqCst);
                            }
                            Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
                            // cut off between two requests, and nobody listens any more
                            None if gone.load(Ordering::SeqCst) => break,
                            None => panic!("cut off before the server was told to stop"),
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        // and one that has begun its request when the server is told to stop
        let mut under_way = Connection::open(to).await;
        let late = app.to_type(id, r#"{"late":true}"#).bytes();
        under_way.write(&late[..late.len() - 3]).await;
        // under load is when every sender has been answered some times
        while stored.load(Ordering::SeqCst) < 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }

        gone.store(true, Ordering::SeqCst);
        let began = Instant::now();
        let stopping = tokio::spawn(app.running().unwrap().stop());
        tokio::time::sleep(Duration::from_millis(100)).await;
        under_way.write(&late[late.len() - 3..]).await;
        assert_eq!(under_way.answer("POST").await.expect("it is answered").status, 201);
        stopping.await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(tokio::net::TcpStream::connect(to).await.is_err(), "it still listens");

        let mut acknowledged = vec![r#"{"late":true}"#.to_owned()];
        for sender in senders {
            acknowledged.extend(sender.await.unwrap());
        }
        // seen by another process that opens the database anew
        let fresh = TestApp { db: Db::open(&app.database).await.unwrap(), ..app.clone() };
        let mut stored = fresh.payloads().await;
        fresh.db.close().await;
        stored.sort();
        acknowledged.sort();
        let missing: Vec<_> = acknowledged.iter().filter(|payload| stored.binary_search(payload).is_err()).collect();
        assert!(missing.is_empty(), "acknowledged but not stored: {missing:?}");
        stored.dedup();
        // what was stored but not acknowledged can only be what was under way in the last moment
        assert!(
            stored.len() <= acknowledged.len() + 12,
            "{} stored, {} acknowledged",
            stored.len(),
            acknowledged.len()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_nobody_who_stalls() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let mut idle = Connection::open(to).await;
        assert_eq!(idle.ask(&app.to_type(id, "{}")).await.unwrap().status, 201);
        let mut silent = Connection::open(to).await;
        silent.write(b"POST /events").await;
        let mut stalled = Connection::open(to).await;
        let bytes = app.to_type(id, r#"{"a":1}"#).bytes();
        stalled.write(&bytes[..bytes.len() - 1]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        app.stop().await;
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(idle.is_closed_within(Duration::from_secs(1)).await);
    })
    .await;
}
