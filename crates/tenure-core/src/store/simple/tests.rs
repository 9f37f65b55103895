use super::id::id;
use crate::store::StoreKey;
use crate::{Handle, Namespace};

fn foreign(namespace: &str, name: &str) -> String {
    id(&StoreKey::foreign(Namespace::new(namespace).unwrap(), name))
}

#[test]
fn an_id_says_whose_session_it_is() {
    let key = StoreKey::new(Namespace::new("shop").unwrap(), Handle::from_bytes([0xAB; 12]));
    assert_eq!(id(&key), "shop:handle:abababababababababababab");
    assert_eq!(foreign("__Host-id", "x/Y"), "__%48ost-id:id:x%2f%59");
}

/// R8, R17: ids stay apart, where case is folded too, and are good for a file's name.
#[test]
fn r8_r17_ids_are_tame_and_different() {
    let ids = [
        foreign("a", "id:x"),
        foreign("a:id", "x"),
        foreign("a", "x"),
        foreign("A", "x"),
        foreign("a", "X"),
        foreign("a", "%58"),
        foreign("a", "../x"),
        foreign("a", "x\0"),
        foreign("a", "é"),
        foreign("a", ""),
        id(&StoreKey::new(Namespace::new("a").unwrap(), Handle::from_bytes(*b"twelve bytes"))),
        foreign("a", "twelve bytes"),
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[at + 1..].contains(id), "{id}");
        let tame = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:_-%".contains(c);
        assert!(id.chars().all(tame), "{id}");
    }
}
