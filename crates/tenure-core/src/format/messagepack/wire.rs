//! MessagePack, as far as records need it, on slices: nothing is allocated by a length that a
//! record claims.

use rmp::{Marker, decode, encode};

/// Appends values; into memory, where no writing fails.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(octets: usize) -> Self {
        Self(Vec::with_capacity(octets))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(super) fn null(&mut self) {
        let _ = encode::write_nil(&mut self.0);
    }

    pub(super) fn boolean(&mut self, value: bool) {
        let _ = encode::write_bool(&mut self.0, value);
    }

    /// In as few octets as it fits.
    pub(super) fn natural(&mut self, number: u64) {
        let _ = encode::write_uint(&mut self.0, number);
    }

    /// In as few octets as it fits.
    pub(super) fn integer(&mut self, number: i64) {
        let _ = encode::write_sint(&mut self.0, number);
    }

    pub(super) fn float(&mut self, float: f64) {
        let _ = encode::write_f64(&mut self.0, float);
    }

    pub(super) fn text(&mut self, text: &str) {
        let _ = encode::write_str(&mut self.0, text);
    }

    pub(super) fn octets(&mut self, octets: &[u8]) {
        let _ = encode::write_bin(&mut self.0, octets);
    }

    pub(super) fn extension(&mut self, tag: i8, octets: &[u8]) {
        let _ = encode::write_ext_meta(&mut self.0, length(octets.len()), tag);
        self.0.extend_from_slice(octets);
    }

    pub(super) fn list(&mut self, len: usize) {
        let _ = encode::write_array_len(&mut self.0, length(len));
    }

    pub(super) fn map(&mut self, len: usize) {
        let _ = encode::write_map_len(&mut self.0, length(len));
    }

    /// Leaves room for the head of a list or map whose length is not known yet.
    pub(super) fn open(&mut self) -> usize {
        self.0.push(0);
        self.0.len() - 1
    }

    /// Writes the head of a list where there is room for it.
    pub(super) fn close_list(&mut self, at: usize, len: usize) {
        self.close(at, Marker::FixArray, len, |head| head.list(len));
    }

    /// Writes the head of a map where there is room for it.
    pub(super) fn close_map(&mut self, at: usize, len: usize) {
        self.close(at, Marker::FixMap, len, |head| head.map(len));
    }

    fn close(
        &mut self,
        at: usize,
        short: fn(u8) -> Marker,
        len: usize,
        long: impl FnOnce(&mut Self),
    ) {
        if let Ok(len @ 0..16) = u8::try_from(len) {
            self.0[at] = short(len).to_u8();
            return;
        }
        let mut head = Self::default();
        long(&mut head);
        self.0.splice(at..=at, head.0);
    }
}

/// No record is near 4 GiB.
fn length(len: usize) -> u32 {
    len.try_into().unwrap_or(u32::MAX)
}

/// Takes values off the front; none where another type is there, or the end.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// What comes next.
    pub(super) fn marker(&self) -> Option<Marker> {
        self.0.first().map(|octet| Marker::from_u8(*octet))
    }

    pub(super) fn null(&mut self) -> Option<()> {
        decode::read_nil(&mut self.0).ok()
    }

    pub(super) fn boolean(&mut self) -> Option<bool> {
        decode::read_bool(&mut self.0).ok()
    }

    pub(super) fn natural(&mut self) -> Option<u64> {
        decode::read_int(&mut self.0).ok()
    }

    pub(super) fn integer(&mut self) -> Option<i64> {
        decode::read_int(&mut self.0).ok()
    }

    pub(super) fn float(&mut self) -> Option<f64> {
        decode::read_f64(&mut self.0).ok()
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = decode::read_str_len(&mut self.0).ok()?;
        str::from_utf8(self.take(len)?).ok()
    }

    pub(super) fn octets(&mut self) -> Option<&'a [u8]> {
        let len = decode::read_bin_len(&mut self.0).ok()?;
        self.take(len)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.octets()?.try_into().ok()
    }

    pub(super) fn extension(&mut self) -> Option<(i8, &'a [u8])> {
        let head = decode::read_ext_meta(&mut self.0).ok()?;
        Some((head.typeid, self.take(head.size)?))
    }

    pub(super) fn list(&mut self) -> Option<u32> {
        decode::read_array_len(&mut self.0).ok()
    }

    pub(super) fn map(&mut self) -> Option<u32> {
        decode::read_map_len(&mut self.0).ok()
    }

    fn take(&mut self, len: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len.try_into().ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}
