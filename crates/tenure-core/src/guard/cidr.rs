use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::ip::agree;
use crate::error::{Error, Result};

/// A range of addresses, or one of them (RFC 4632, RFC 4291 §2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Cidr {
    /// Never an IPv4 address in IPv6 form.
    network: IpAddr,
    bits: u8,
}

impl Cidr {
    pub(super) fn contains(self, address: IpAddr) -> bool {
        agree(self.network, address, self.bits, self.bits)
    }

    /// Whether it is all addresses of a family.
    pub(super) fn is_everything(self) -> bool {
        self.bits == 0
    }
}

impl FromStr for Cidr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused =
            |why: &str| Error::config(format!("{text:?} is no range of addresses: {why}"));
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let written: IpAddr = address
            .parse()
            .map_err(|_| refused("write one such as `10.0.0.0/8` or `2001:db8::/32`"))?;
        let longest = if written.is_ipv4() { 32 } else { 128 };
        let bits: Option<u8> = bits.map_or(Some(longest), |bits| {
            let digits = bits.bytes().all(|sign| sign.is_ascii_digit());
            bits.parse().ok().filter(|bits| digits && *bits <= longest)
        });
        let mut bits = bits.ok_or_else(|| {
            refused(&format!("behind `/` goes the number of leading bits, at most {longest}"))
        })?;
        let network = written.to_canonical();
        if network.is_ipv4() && written.is_ipv6() {
            // The first 96 bits say only that it is an IPv4 address.
            bits = bits
                .checked_sub(96)
                .ok_or_else(|| refused("it is an IPv4 address; write it as one"))?;
        }
        let behind = match network {
            IpAddr::V4(network) => network.to_bits().checked_shl(bits.into()).unwrap_or(0) != 0,
            IpAddr::V6(network) => network.to_bits().checked_shl(bits.into()).unwrap_or(0) != 0,
        };
        if behind {
            return Err(refused(
                "there are bits behind the prefix; set them to zero, or write one address alone",
            ));
        }
        Ok(Self { network, bits })
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}
