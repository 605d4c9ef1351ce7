//! On which media thread each leg is, and the way to it. It knows neither sockets nor streams.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime_contract::leg::LegId;

use super::MediaError;
use super::media_loop::ToLoop;

#[derive(Debug, Default)]
pub struct Places {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    doors: Vec<Sender<ToLoop>>,
    legs: HashMap<LegId, Place>,
}

#[derive(Debug)]
enum Place {
    /// On this thread.
    At(usize),
    /// On the way to this thread, maybe by way of others; what is told to the leg meanwhile follows it.
    Moving { to: usize, told: Vec<ToLoop> },
}

impl Place {
    fn thread(&self) -> usize {
        match self {
            Place::At(thread) | Place::Moving { to: thread, .. } => *thread,
        }
    }
}

impl Places {
    /// One more media thread.
    pub fn add(&self, door: Sender<ToLoop>) {
        self.lock().doors.push(door);
    }

    /// The threads end.
    pub fn shut(&self) {
        self.lock().doors.clear();
    }

    /// A place for a new leg: on the thread of `beside`, else by turns.
    pub fn reserve(&self, leg: LegId, beside: Option<LegId>, legs_max: usize) -> Result<(), MediaError> {
        let mut inner = self.lock();
        if inner.legs.contains_key(&leg) {
            return Err(MediaError::LegOpen(leg));
        }
        if inner.legs.len() >= legs_max {
            return Err(MediaError::Full(legs_max));
        }
        let beside = beside.and_then(|beside| inner.legs.get(&beside)).map(Place::thread);
        let by_turns = (leg.0 % inner.doors.len().max(1) as u64) as usize;
        inner.legs.insert(leg, Place::At(beside.unwrap_or(by_turns)));
        Ok(())
    }

    pub fn forget(&self, leg: LegId) {
        self.lock().legs.remove(&leg);
    }

    /// All that concerns one leg goes through one door, in order. A leg that is not open is ignored.
    pub fn send(&self, leg: LegId, message: ToLoop) {
        self.lock().send(leg, message);
    }

    pub fn close(&self, leg: LegId) {
        let mut inner = self.lock();
        inner.send(leg, ToLoop::Close { leg });
        if matches!(inner.legs.get(&leg), Some(Place::At(_))) {
            inner.legs.remove(&leg);
        }
    }

    /// Brings the second leg to the thread of the first, and bridges them there.
    pub fn bridge(&self, a: LegId, b: LegId) {
        let inner = &mut *self.lock();
        let (Some(first), Some(second)) = (inner.legs.get(&a), inner.legs.get(&b)) else { return };
        let (to, at) = (first.thread(), second.thread());
        if a == b {
            return;
        }
        if to != at {
            let Some(door) = inner.doors.get(to).cloned() else { return };
            inner.send(b, ToLoop::Leave { leg: b, thread: to, door });
            match inner.legs.get_mut(&b) {
                Some(Place::Moving { to: target, .. }) => *target = to,
                Some(place) => *place = Place::Moving { to, told: Vec::new() },
                None => {}
            }
        }
        if let Some(door) = inner.doors.get(to) {
            let _ = door.send(ToLoop::Bridge { legs: [a, b] });
        }
    }

    /// The leg has left for this thread through this door: what was told to it follows.
    pub fn moved(&self, leg: LegId, thread: usize, door: &Sender<ToLoop>) {
        let mut inner = self.lock();
        let Some(place) = inner.legs.get_mut(&leg) else { return };
        let Place::Moving { told, .. } = place else { return };
        let mut told = std::mem::take(told).into_iter();
        for message in told.by_ref() {
            let (leaves, closes) = (matches!(message, ToLoop::Leave { .. }), matches!(message, ToLoop::Close { .. }));
            let _ = door.send(message);
            if closes {
                inner.legs.remove(&leg);
                return;
            }
            if leaves {
                if let Some(Place::Moving { told: later, .. }) = inner.legs.get_mut(&leg) {
                    later.extend(told);
                }
                return;
            }
        }
        inner.legs.insert(leg, Place::At(thread));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn send(&mut self, leg: LegId, message: ToLoop) {
        match self.legs.get_mut(&leg) {
            Some(Place::At(thread)) => {
                if let Some(door) = self.doors.get(*thread) {
                    // A thread that is gone has no legs left to tell.
                    let _ = door.send(message);
                }
            }
            Some(Place::Moving { told, .. }) => told.push(message),
            None => {}
        }
    }
}
