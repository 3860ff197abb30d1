//! Generations of keys and tags.
//!
//! Every key and every tag has one of 65,536 slots. An invalidation increments the generation of a
//! slot. The table has a fixed size whatever clients ask for, so nothing has to be forgotten; the
//! price is that two tags in one slot are invalidated together.

use std::sync::atomic::{AtomicU64, Ordering};

use doyen_core::cache::{CacheKey, CacheTag};
use doyen_core::stable_hash;

/// Number of slots.
const SLOTS: usize = 1 << 16;

/// A slot. All nodes and releases must agree on it.
pub(crate) type Slot = u16;

/// Returns the slot of a tag.
pub(crate) fn of_tag(tag: &CacheTag) -> Slot {
    slot(["tag", tag.as_str()])
}

/// Returns the slot of a key.
pub(crate) fn of_key(key: &CacheKey) -> Slot {
    of_key_text(key.as_str())
}

/// Returns the slot of the key with this text.
pub(crate) fn of_key_text(text: &str) -> Slot {
    slot(["key", text])
}

fn slot(name: [&str; 2]) -> Slot {
    // The last 16 bits.
    (stable_hash(name) & 0xffff) as Slot
}

/// The generations of all slots in this process.
pub(crate) struct Slots {
    generations: Box<[AtomicU64]>,
    /// Incremented when invalidations may have been missed: every value becomes unreadable.
    epoch: AtomicU64,
}

/// The generations of some slots at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    epoch: u64,
    slots: Box<[(Slot, u64)]>,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            generations: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            epoch: AtomicU64::new(0),
        }
    }

    /// Reads the generations of a key and its tags.
    pub(crate) fn view(&self, key: &CacheKey, tags: &[CacheTag]) -> View {
        let slots = std::iter::once(of_key(key)).chain(tags.iter().map(of_tag));
        View {
            epoch: self.epoch.load(Ordering::SeqCst),
            slots: slots.map(|slot| (slot, self.generation(slot))).collect(),
        }
    }

    /// True if nothing in the view was invalidated since.
    pub(crate) fn is_current(&self, view: &View) -> bool {
        let mut slots = view.slots.iter();
        view.epoch == self.epoch.load(Ordering::SeqCst)
            && slots.all(|(slot, generation)| self.generation(*slot) == *generation)
    }

    pub(crate) fn invalidate(&self, slot: Slot) {
        self.generations[usize::from(slot)].fetch_add(1, Ordering::SeqCst);
    }

    /// Invalidates everything.
    pub(crate) fn invalidate_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn generation(&self, slot: Slot) -> u64 {
        self.generations[usize::from(slot)].load(Ordering::SeqCst)
    }
}

impl View {
    /// Returns the slots.
    #[cfg_attr(
        not(feature = "redis"),
        allow(dead_code, reason = "only Redis needs them")
    )]
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().map(|(slot, _)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of different releases must agree.
    #[test]
    fn slots_are_fixed() {
        assert_eq!(of_tag(&"tickets".into()), 32530);
    }

    #[test]
    fn a_view_is_current_until_one_of_its_slots_changes() {
        let slots = Slots::new();
        let entry = doyen_core::Cache::new(std::sync::Arc::new(crate::Engine::new(
            crate::CacheSettings::default(),
            std::sync::Arc::new(doyen_core::SystemClock),
        )));
        let policy = doyen_core::CachePolicy::new("a", doyen_core::secs(1));
        let entry = entry.shared().entry(&policy, 1);
        let tags = [CacheTag::from("one"), CacheTag::of("two", 2)];
        let changes: [&dyn Fn(); 4] = [
            &|| slots.invalidate(of_key(entry.key())),
            &|| slots.invalidate(of_tag(&tags[0])),
            &|| slots.invalidate(of_tag(&tags[1])),
            &|| slots.invalidate_all(),
        ];
        for change in changes {
            let view = slots.view(entry.key(), &tags);
            slots.invalidate(of_tag(&"other".into()));
            assert!(slots.is_current(&view));
            change();
            assert!(!slots.is_current(&view));
        }
    }
}
