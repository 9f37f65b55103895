//! Records as stores keep them: no octets break the reader, and what was read or made is written and
//! read again as it was.

#![no_main]

use std::net::IpAddr;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tenure_core::format::{DecodeError, Envelope, MessagePack, Packed, RecordFormat};
use tenure_core::id::{CommitId, Proof};
use tenure_core::store::{Client, Epochs, Former, Pending, Record};
use tenure_core::value::Json;
use tenure_core::{Timestamp, UserId};

/// With this a packed record begins, and nothing else.
const PACKED: u8 = 1;
const ALL: [&dyn RecordFormat; 3] = [&Envelope, &MessagePack, &Packed];

fuzz_target!(|input: &[u8]| {
    match Envelope.decode(input) {
        Ok(record) => {
            comes_back(&record);
            // MessagePack begins with the mark of a map, and JSON with ASCII.
            if input[0].is_ascii() && input[0] != PACKED {
                let Value::Object(read) = serde_json::from_slice(input).expect("JSON") else {
                    panic!("a record is an object");
                };
                assert_eq!(read["v"], 1);
            }
        }
        Err(DecodeError::UnknownVersion) => {
            if let Ok(read) = serde_json::from_slice::<Value>(input) {
                assert_ne!(read["v"], 1);
            }
        }
        Err(DecodeError::Malformed) => {}
        Err(error) => panic!("{error}"),
    }
    if let Ok(made) = Made::arbitrary(&mut Unstructured::new(input)) {
        comes_back(&made.record());
    }
    // Here values are not looked at, so that other formats might refuse them.
    if let Ok(record) = Packed.decode(input) {
        let again = Packed.encode(&record).expect("it can be written").bytes;
        assert_eq!(Packed.decode(&again).as_ref(), Ok(&record));
    }
});

fn comes_back(record: &Record) {
    for format in ALL {
        let encoded = format.encode(record).expect("it can be written");
        assert_eq!(encoded.expiry, record.deadline());
        let read = format.decode(&encoded.bytes).expect("what was written can be read");
        assert_eq!(&read, record);
        assert_eq!(format.encode(&read).expect("written").bytes, encoded.bytes, "one spelling");
    }
}

/// A record that an engine could have made.
#[derive(Arbitrary)]
struct Made {
    times: [u64; 5],
    idle: u32,
    present: Option<[u8; 32]>,
    pending: Option<([u8; 32], u64)>,
    former: Option<([u8; 32], u64)>,
    user: Option<String>,
    authenticated: Option<u64>,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    epochs: (u64, u64),
    commits: Vec<([u8; 16], u64)>,
    data: Vec<(String, Item)>,
}

#[derive(Arbitrary)]
enum Item {
    Nothing,
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<u16>),
    Nested(u8, String),
}

impl Made {
    fn record(self) -> Record {
        let at = Timestamp::from_millis;
        let [created, seen, renewed, idle, absolute] = self.times.map(at);
        let timeout = Duration::from_millis(self.idle.into());
        let mut record = Record::new(created, timeout, Duration::ZERO);
        record.last_seen = seen;
        record.renewed = renewed;
        record.idle_deadline = idle;
        record.absolute_deadline = absolute;
        record.proofs.present = self.present.map(Proof::from_bytes);
        let proof = Proof::from_bytes;
        record.proofs.pending =
            self.pending.map(|(octets, since)| Pending { proof: proof(octets), since: at(since) });
        record.proofs.former =
            self.former.map(|(octets, until)| Former { proof: proof(octets), until: at(until) });
        record.user = self.user.and_then(|user| UserId::new(user).ok());
        record.authenticated = self.authenticated.map(at);
        record.client = Client::new(self.ip, self.user_agent.as_deref());
        record.epochs = Epochs { everybody: self.epochs.0, user: self.epochs.1 };
        let commits = self.commits.into_iter();
        record.commits = commits.map(|(id, time)| (CommitId::from_bytes(id), at(time))).collect();
        let data = self.data.into_iter().map(|(key, item)| (key, item.json()));
        record.data = data.collect();
        record
    }
}

impl Item {
    fn json(self) -> Json {
        let value = match self {
            Self::Nothing => Value::Null,
            Self::Whole(number) => number.into(),
            Self::Float(number) => number.into(),
            Self::Text(text) => text.into(),
            Self::List(items) => items.into(),
            Self::Nested(depth, text) => {
                let depth = usize::from(depth) % Json::MAX_DEPTH;
                (0..depth).fold(text.into(), |inner: Value, level| match level % 2 {
                    0 => Value::Array(vec![inner]),
                    _ => serde_json::json!({ "": inner }),
                })
            }
        };
        Json::of(&value).expect("not too deep")
    }
}
