use std::net::IpAddr;

use crate::error::{Error, Result};

/// How much of its first address a session is tied to.
///
/// ```
/// use tenure_core::guard::IpLock;
///
/// let network = IpLock::Prefix { v4: 24, v6: 64 };
/// let (began, comes) = ("192.0.2.7".parse()?, "192.0.2.200".parse()?);
/// assert!(network.admits(began, comes));
/// assert!(!IpLock::Exact.admits(began, comes));
/// assert!(IpLock::Exact.admits(began, "::ffff:192.0.2.7".parse()?), "the same address");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IpLock {
    /// The very address.
    Exact,
    /// The network: so many leading bits of the address.
    Prefix {
        /// Of an IPv4 address, from 1 to 32; 24 is usual.
        v4: u8,
        /// Of an IPv6 address, from 1 to 128; 64 is what one household or company has, of which
        /// its devices change the rest at will (RFC 8981).
        v6: u8,
    },
}

impl IpLock {
    /// Whether a session that began from one address may be used from another. Those of different
    /// families never fit; an IPv4 address is one however it is written.
    #[must_use]
    pub fn admits(&self, began: IpAddr, comes: IpAddr) -> bool {
        let (v4, v6) = match *self {
            Self::Exact => (32, 128),
            Self::Prefix { v4, v6 } => (v4, v6),
        };
        agree(began, comes, v4, v6)
    }

    pub(super) fn check(self) -> Result<()> {
        let Self::Prefix { v4, v6 } = self else { return Ok(()) };
        for (bits, longest, usual, family) in [(v4, 32, 24, "IPv4"), (v6, 128, 64, "IPv6")] {
            if !(1..=longest).contains(&bits) {
                return Err(Error::config(format!(
                    "lock_ip: {bits} is no number of leading bits of an {family} address; take one \
                     from 1 to {longest}, such as {usual}"
                )));
            }
        }
        Ok(())
    }
}

/// Whether two addresses are of one family and have so many leading bits in common.
pub(super) fn agree(a: IpAddr, b: IpAddr, v4: u8, v6: u8) -> bool {
    match (a.to_canonical(), b.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(v4)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(v6)
        }
        _ => false,
    }
}
