//! Every live call: found by its id at once, walked in the order of ids.
//!
//! Each event looks its call up several times. In a sorted tree of ten thousand calls each of these
//! costs a dozen comparisons of strings that lie far apart; here it costs one hash. The hash only
//! finds a place: nothing is ever walked in its order.

use std::collections::{BTreeMap, HashMap};

use holdfast_domain::CallId;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Call;

/// A place in the list of calls.
type Place = u32;

/// Every live call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    places: HashMap<CallId, Place, FxBuildHasher>,
    order: BTreeMap<CallId, Place>,
    /// Boxed, so that a call that begins moves none of the others.
    all: Vec<Option<Box<Call>>>,
    free: Vec<Place>,
}

impl Calls {
    pub(crate) fn get(&self, id: impl AsRef<str>) -> Option<&Call> {
        let place = *self.places.get(id.as_ref())?;
        self.all.get(place as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: impl AsRef<str>) -> Option<&mut Call> {
        let place = *self.places.get(id.as_ref())?;
        self.all.get_mut(place as usize)?.as_deref_mut()
    }

    pub(crate) fn contains(&self, id: impl AsRef<str>) -> bool {
        self.places.contains_key(id.as_ref())
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes a call in, in place of one with its id.
    pub(crate) fn insert(&mut self, call: Call) {
        let id = call.id.clone();
        let known = self.places.get(&id).copied();
        let place = known.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.all.push(None);
            (self.all.len() - 1) as Place
        });
        self.all[place as usize] = Some(Box::new(call));
        self.order.insert(id.clone(), place);
        self.places.insert(id, place);
    }

    pub(crate) fn remove(&mut self, id: &CallId) {
        if let Some(place) = self.places.remove(id) {
            self.order.remove(id);
            self.all[place as usize] = None;
            self.free.push(place);
        }
    }

    /// The ids, ascending.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &CallId> {
        self.order.keys()
    }

    /// The calls in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.order
            .values()
            .filter_map(|place| self.all[*place as usize].as_deref())
    }

    /// Does something with each call, in the order of their ids.
    pub(crate) fn each(&mut self, mut act: impl FnMut(&mut Call)) {
        for place in self.order.values() {
            if let Some(call) = self.all[*place as usize].as_deref_mut() {
                act(call);
            }
        }
    }
}

impl Serialize for Calls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut calls = Self::default();
        for call in Vec::<Call>::deserialize(deserializer)? {
            calls.insert(call);
        }
        Ok(calls)
    }
}
