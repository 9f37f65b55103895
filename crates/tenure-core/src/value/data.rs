use std::fmt;
use std::sync::Arc;

/// The keys and values of a session: an immutable map from names to JSON text, in one piece of
/// memory, cheap to clone, ordered by key.
///
/// ```
/// use tenure_core::value::Data;
///
/// let data: Data = [("theme", "\"dark\""), ("n", "1")].into_iter().collect();
/// assert_eq!(data.get("n"), Some("1"));
/// assert_eq!(data.get("N"), None);
/// assert_eq!(data.keys().collect::<Vec<_>>(), ["n", "theme"]);
/// ```
#[derive(Clone, Default)]
pub struct Data {
    /// Entries from `start` on, each `key length, key, value length, value`, ordered by key;
    /// lengths as LEB128. What lies before belongs to whoever shares the memory.
    packed: Arc<[u8]>,
    start: usize,
}

impl Data {
    /// The map whose packed form is what follows `start` in `packed`.
    pub(crate) fn shared(packed: Arc<[u8]>, start: usize) -> Self {
        Self { packed, start }
    }

    /// The map of entries that come ordered by key, each key once.
    pub(crate) fn ordered<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut packed = Vec::with_capacity(64);
        for part in entries.flat_map(|(key, value)| [key, value]) {
            write_number(&mut packed, part.len() as u64);
            packed.extend_from_slice(part.as_bytes());
        }
        Self { packed: packed.into(), start: 0 }
    }

    /// The map of a packed form that comes from outside; none if it is none.
    pub(crate) fn from_packed(packed: Vec<u8>) -> Option<Self> {
        let (mut rest, mut last) = (Entries(&packed), None);
        while !rest.0.is_empty() {
            let (key, value) = rest.next()?;
            if last.is_some_and(|last| last >= key) {
                return None;
            }
            str::from_utf8(key).and(str::from_utf8(value)).ok()?;
            last = Some(key);
        }
        Some(Self { packed: packed.into(), start: 0 })
    }

    /// The packed form.
    pub(crate) fn as_packed(&self) -> &[u8] {
        &self.packed[self.start..]
    }

    /// The JSON text under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut entries = Entries(self.as_packed());
        entries.find(|(name, _)| *name >= key.as_bytes()).and_then(|(name, value)| {
            if name == key.as_bytes() { str::from_utf8(value).ok() } else { None }
        })
    }

    /// All keys with their JSON texts, ordered by key.
    ///
    /// ```
    /// # use tenure_core::value::Data;
    /// let data: Data = [("theme", "\"dark\""), ("n", "1")].into_iter().collect();
    /// assert_eq!(data.iter().collect::<Vec<_>>(), [("n", "1"), ("theme", "\"dark\"")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        Entries(self.as_packed()).filter_map(|(key, value)| {
            Some((str::from_utf8(key).ok()?, str::from_utf8(value).ok()?))
        })
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// How many keys there are.
    ///
    /// ```
    /// # use tenure_core::value::Data;
    /// let data: Data = [("n", "1"), ("n", "2")].into_iter().collect();
    /// assert_eq!(data.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        Entries(self.as_packed()).count()
    }

    /// Whether there is no key.
    ///
    /// ```
    /// # use tenure_core::value::Data;
    /// assert!(Data::default().is_empty());
    /// assert!(![("n", "null")].into_iter().collect::<Data>().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_packed().is_empty()
    }

    /// The octets that keys and values take, a few for each key included.
    ///
    /// ```
    /// # use tenure_core::value::Data;
    /// let data: Data = [("n", "1")].into_iter().collect();
    /// assert_eq!(data.size(), 4, "two lengths, the key and the value");
    /// ```
    #[must_use]
    pub fn size(&self) -> usize {
        self.as_packed().len()
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.as_packed() == other.as_packed()
    }
}

impl Eq for Data {}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Data {
    /// The map of these keys and JSON texts; of a key that comes twice, the last.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        // A stable sort: of those with the same key the last stays the last.
        entries.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
        let same_key = |(one, _): &(K, V), (other, _): &(K, V)| one.as_ref() == other.as_ref();
        let last = entries.chunk_by(same_key).filter_map(<[_]>::last);
        Self::ordered(last.map(|(key, value)| (key.as_ref(), value.as_ref())))
    }
}

struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.part()?, self.part()?))
    }
}

impl<'a> Entries<'a> {
    fn part(&mut self) -> Option<&'a [u8]> {
        let len = read_number(&mut self.0)?.try_into().ok()?;
        let (part, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(part)
    }
}

/// Appends a number as LEB128: seven bits an octet, the lowest first.
pub(crate) fn write_number(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Takes a number off the front.
pub(crate) fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&octet, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(octet & 0x7f) << shift;
        if octet < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_data_has_what_a_map_would(
            entries in prop::collection::vec(("[a-c]{0,2}", "[0-9]{1,3}"), 0..40),
        ) {
            let data: Data = entries.iter().map(|(key, value)| (key, value)).collect();
            let map: BTreeMap<_, _> = entries.into_iter().collect();
            prop_assert!(data.iter().eq(map.iter().map(|(key, value)| (&**key, &**value))));
            prop_assert!(map.iter().all(|(key, value)| data.get(key) == Some(value)));
            let packed = Data::from_packed(data.as_packed().to_vec());
            prop_assert_eq!(packed.as_ref(), Some(&data));
        }
    }
}
