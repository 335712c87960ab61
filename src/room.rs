//! Room for work: a number of bytes that all requests share. Whoever finds none waits a moment, in order of arrival,
//! before anything is spent on them; and is then sent away, to come again. So a burst is taken in, a flood costs
//! little, and neither keeps what was let in from being done.
use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Unavailable;

/// How long to wait for room. Longer than a burst takes to be stored, shorter than a sender waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A number of bytes to be shared. Clones share the same.
#[derive(Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    all: u32,
}

/// Some of a [`Room`], given back when dropped.
#[derive(Debug)]
pub struct Place(OwnedSemaphorePermit);

impl Room {
    /// A room of so many bytes, 4 GiB at most.
    pub fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes).unwrap_or(u32::MAX).max(1);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// How many bytes are free.
    pub fn left(&self) -> usize {
        self.free.available_permits()
    }

    /// Takes so many bytes of it, or all of it when it is more; waits for a second at most.
    ///
    /// # Errors
    /// [`Unavailable::QueueFull`] when there is no room by then.
    pub async fn enter(&self, bytes: usize) -> Result<Place, Unavailable> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.all);
        if let Ok(taken) = self.free.clone().try_acquire_many_owned(bytes) {
            return Ok(Place(taken));
        }
        match tokio::time::timeout(PATIENCE, self.free.clone().acquire_many_owned(bytes)).await {
            Ok(Ok(taken)) => Ok(Place(taken)),
            Ok(Err(_)) | Err(_) => Err(Unavailable::QueueFull),
        }
    }

    /// Takes more for somebody who is in already. It does not wait: two who waited for each other would wait in vain.
    ///
    /// # Errors
    /// [`Unavailable::QueueFull`] when there is no room now.
    pub fn grow(&self, place: &mut Place, bytes: usize) -> Result<(), Unavailable> {
        let bytes = u32::try_from(bytes).map_err(|_| Unavailable::QueueFull)?;
        let more = self.free.clone().try_acquire_many_owned(bytes).map_err(|_| Unavailable::QueueFull)?;
        place.0.merge(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_in_order_and_is_sent_away_after_a_second() {
        let room = Room::new(10);
        let mut first = room.enter(6).await.unwrap();
        assert!(room.grow(&mut first, 5).is_err());
        room.grow(&mut first, 1).unwrap();
        let second = {
            let room = room.clone();
            tokio::spawn(async move { room.enter(9).await })
        };
        tokio::task::yield_now().await;
        // there is room for this one, but another came before
        let began = tokio::time::Instant::now();
        assert!(matches!(room.enter(2).await, Err(Unavailable::QueueFull)));
        assert_eq!(began.elapsed(), PATIENCE);
        assert!(second.await.unwrap().is_err());

        drop(first);
        // more than there is: all of it
        let all = room.enter(99).await.unwrap();
        let waiting = {
            let room = room.clone();
            tokio::spawn(async move { room.enter(1).await })
        };
        tokio::task::yield_now().await;
        drop(all);
        assert!(waiting.await.unwrap().is_ok());
    }
}
