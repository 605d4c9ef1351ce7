//! Places with stamped keys: a key of a thing that is gone never finds its successor.

/// Where a thing lies, and which thing it was. The default one was never given to anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    at: u32,
    stamp: u32,
}

pub struct Slab<T> {
    places: Vec<Option<(u32, T)>>,
    free: Vec<u32>,
    stamp: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), stamp: 0 }
    }
}

impl<T> Slab<T> {
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The bound is the caller's; `u32::MAX` things are never reached.
    pub fn insert(&mut self, value: T) -> Key {
        self.stamp = self.stamp.wrapping_add(1);
        let stamp = self.stamp;
        if let Some(at) = self.free.pop()
            && let Some(place) = self.places.get_mut(at as usize)
        {
            *place = Some((stamp, value));
            return Key { at, stamp };
        }
        let at = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(Some((stamp, value)));
        Key { at, stamp }
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        self.places.get(key.at as usize)?.as_ref().filter(|(stamp, _)| *stamp == key.stamp).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.places.get_mut(key.at as usize)?.as_mut().filter(|(stamp, _)| *stamp == key.stamp).map(|(_, value)| value)
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten().map(|(_, value)| value)
    }

    /// Memory goes back when the last thing is gone.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.at as usize)?;
        let (_, value) = place.take_if(|(stamp, _)| *stamp == key.stamp)?;
        self.free.push(key.at);
        if self.free.len() == self.places.len() && self.places.len() > 1_024 {
            self.places = Vec::new();
            self.free = Vec::new();
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_outlives_its_thing_without_harm() {
        let mut slab = Slab::default();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some('a'));
        let second = slab.insert('b');
        assert_eq!(slab.remove(first), None);
        assert_eq!((slab.get(first), slab.get(second)), (None, Some(&'b')));
        assert_eq!(slab.len(), 1);
    }
}
