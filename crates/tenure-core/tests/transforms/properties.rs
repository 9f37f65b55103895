//! Any value under any name and purpose.

use proptest::prelude::*;
use tenure_core::SystemRandom;
use tenure_core::transform::{Seal, Sign, Transform, TransformContext, Transforms};

use crate::{OTHER_SECRET, SECRET, ring};

proptest! {
    /// K8, K9: it comes back, octet for octet, and only there.
    #[test]
    fn k8_k9_any_value_comes_back(
        value in prop::collection::vec(any::<u8>(), 0..600),
        name in ".{0,40}",
        purpose in ".{0,40}",
        other in ".{0,40}",
    ) {
        let keys = ring(&[SECRET, OTHER_SECRET]);
        let cx = TransformContext::new(&name, &purpose, &SystemRandom);
        let chains = [
            Transforms::new().then(Sign::new(keys.clone())),
            Transforms::new().then(Seal::new(keys.clone())),
            Transforms::new().then(Seal::new(keys.clone())).then(Sign::new(keys)),
        ];
        for chain in chains {
            let text = chain.write(value.clone(), &cx).unwrap();
            prop_assert_eq!(chain.read(&text, &cx), Some(value.clone()));
            if other != name {
                let elsewhere = TransformContext::new(&other, &purpose, &SystemRandom);
                prop_assert!(chain.read(&text, &elsewhere).is_none());
            }
            if other != purpose {
                let elsewhere = TransformContext::new(&name, &other, &SystemRandom);
                prop_assert!(chain.read(&text, &elsewhere).is_none());
            }
        }
    }

    /// R15: no octets at all make it panic, or pass.
    #[test]
    fn r15_anything_else_is_none(garbage in prop::collection::vec(any::<u8>(), 0..200)) {
        let keys = ring(&[SECRET]);
        let cx = TransformContext::new("id", "test", &SystemRandom);
        prop_assert!(Sign::new(keys.clone()).undo(garbage.clone(), &cx).is_none());
        prop_assert!(Seal::new(keys).undo(garbage, &cx).is_none());
    }
}
