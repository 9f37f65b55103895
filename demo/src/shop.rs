//! What the shop sells, and the cart.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something on the shelf.
pub(crate) struct Product {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) price: Cents,
    /// A drawing, as SVG.
    pub(crate) art: &'static str,
}

/// An amount of money.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cents(pub(crate) u32);

/// What a visitor wants to buy: how many of which product, kept in the session as
/// `{"sencha":2}`. It counts and says what the catalogue has; what is no longer sold is passed over.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cart(BTreeMap<String, u32>);

macro_rules! shelf {
    ($($sku:literal, $name:literal, $cents:literal, $about:literal;)*) => {
        &[$(Product {
            sku: $sku,
            name: $name,
            about: $about,
            price: Cents($cents),
            art: include_str!(concat!("../static/art/", $sku, ".svg")),
        }),*]
    };
}

/// All products, in the order of the shelf.
pub(crate) const CATALOGUE: &[Product] = shelf! {
    "sencha", "Sencha", 850, "Green tea from the first flush: fresh, grassy, a little sweet. 100\u{a0}g.";
    "assam", "Assam", 690, "Black tea, malty and strong enough for milk. 100\u{a0}g.";
    "teapot", "Stoneware teapot", 3400, "Holds four cups, keeps them hot, and does not drip.";
    "cup", "Cup without handle", 1250, "Thrown by hand. It tells your fingers when to wait.";
    "honey", "Lime blossom honey", 780, "From the avenue behind the shop. 250\u{a0}g.";
    "shortbread", "Shortbread", 420, "Butter, flour, sugar, salt, and nothing else. Ten pieces.";
};

impl Product {
    pub(crate) fn find(sku: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|product| product.sku == sku)
    }
}

impl Cents {
    pub(crate) fn times(self, count: u32) -> Self {
        Self(self.0 * count)
    }
}

impl Cart {
    /// So that a held-down key stays a joke.
    const MOST: u32 = 99;

    pub(crate) fn add(&mut self, product: &Product) {
        let count = self.0.entry(product.sku.to_owned()).or_default();
        *count = (*count + 1).min(Self::MOST);
    }

    /// Takes one out again.
    pub(crate) fn remove(&mut self, product: &Product) {
        if let Some(count) = self.0.get_mut(product.sku) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(product.sku);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    pub(crate) fn count_of(&self, product: &Product) -> u32 {
        self.0.get(product.sku).copied().unwrap_or_default()
    }

    /// Each product that is in the cart, and how many of it.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static Product, u32)> + '_ {
        CATALOGUE
            .iter()
            .map(|product| (product, self.count_of(product)))
            .filter(|&(_, count)| count > 0)
    }

    pub(crate) fn count(&self) -> u32 {
        self.lines().map(|(_, count)| count).sum()
    }

    pub(crate) fn total(&self) -> Cents {
        Cents(self.lines().map(|(product, count)| product.price.times(count).0).sum())
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "€{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUE, Cart, Product};

    #[test]
    fn a_cart_counts_what_is_for_sale() {
        let [sencha, assam] = ["sencha", "assam"].map(|sku| Product::find(sku).unwrap());
        let mut cart = Cart([("abolished".to_owned(), 7)].into());
        assert!(cart.is_empty());
        cart.add(sencha);
        cart.add(sencha);
        cart.add(assam);
        assert_eq!((cart.count(), cart.total().to_string()), (3, "€23.90".to_owned()));
        cart.remove(assam);
        cart.remove(assam);
        assert_eq!(cart.lines().map(|(product, _)| product.sku).collect::<Vec<_>>(), ["sencha"]);
        (0..200).for_each(|_| cart.add(sencha));
        assert_eq!(cart.count(), Cart::MOST);
    }

    #[test]
    fn skus_are_fit_for_ids_and_paths() {
        for product in CATALOGUE {
            assert!(product.sku.bytes().all(|octet| octet.is_ascii_lowercase()), "{}", product.sku);
        }
    }
}
