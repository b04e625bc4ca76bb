//! The stock plugins, embedded when the gateway was built: what a merchant file names without a path.

include!(concat!(env!("OUT_DIR"), "/stock.rs"));

/// The component of a stock plugin.
#[must_use]
pub fn find(id: &str) -> Option<&'static [u8]> {
    STOCK.iter().find(|(name, _)| *name == id).map(|(_, component)| *component)
}

/// Every stock plugin's id.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    STOCK.iter().map(|(name, _)| *name).collect()
}
