//! Turns a built core module and its plugin.toml into a plugin component, and reads the manifest back without running it.
//!
//! [`pack()`] is what `perkgate plugin build` does, [`inspect()`] is what every reader of a component does first: the
//! gateway before it compiles one, `perkgate plugin check` before it shows one. Both hold a component to the same
//! rules, so that what was built here loads there.

pub mod build;
mod inspect;
mod manifest;
mod pack;

pub use inspect::{Inspection, inspect};
pub use manifest::manifest_toml;
pub use pack::{embed, pack};

/// The custom section that holds the manifest as one JSON document.
pub const SECTION: &str = "perkgate:plugin";

/// Why a plugin cannot be built or read. Each message is a sentence with the cure in it.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// `plugin.toml` does not parse, or has a key that no manifest has.
    #[error("plugin.toml line {line}: {message}")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// The file that `settings` names cannot be read or is no JSON.
    #[error("plugin.toml: `settings = \"{file}\"`: {message}; name a JSON Schema file that lies beside plugin.toml")]
    Settings {
        /// The name as it stands in `plugin.toml`.
        file: String,
        /// Why it cannot be used.
        message: String,
    },
    /// The manifest says something that this gateway does not serve.
    #[error("manifest: {0}")]
    Manifest(String),
    /// The core module imports what no gateway provides.
    #[error(
        "the module imports `{module}` `{name}`, which plugins do not have: build for wasm32-unknown-unknown and leave \
         out what needs it (there is no std::time, std::fs, std::net, std::env or randomness; time and `dice` are facts)"
    )]
    ForeignModuleImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// The input is no core module.
    #[error(
        "this is no core WebAssembly module ({0}); give the .wasm that `cargo build --target wasm32-unknown-unknown` made"
    )]
    NotAModule(String),
    /// The component encoder refuses the module.
    #[error("the module cannot be made a component: {0}; build it with the perkgate SDK of contract 1.0")]
    Encode(String),
    /// More bytes than any plugin may have.
    #[error(
        "the component has {bytes} bytes, a plugin has at most {most}; strip debug information, drop large dependencies"
    )]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// [`perkgate_domain::limits::COMPONENT_BYTES`].
        most: usize,
    },
    /// The input is no component, or a damaged one.
    #[error("this is no WebAssembly component ({0}); make one with `perkgate plugin build`")]
    NotAComponent(String),
    /// A component without its manifest.
    #[error("the component has no `{SECTION}` section, so it is no plugin; make it with `perkgate plugin build`")]
    NoManifest,
    /// A component with more than one manifest.
    #[error("the component has {0} `{SECTION}` sections and must have one; build it again from the core module")]
    Manifests(usize),
    /// The component imports what no gateway provides.
    #[error(
        "the component imports `{0}`; a plugin may import nothing but `perkgate:plugin/log@1.0.0`. Build for \
         wasm32-unknown-unknown (not wasip1 or wasip2) and leave out what needs the import: clock, files, network, \
         environment and randomness are not there, time and `dice` are facts"
    )]
    ForeignImport(String),
    /// The component uses an interface of a contract that this gateway does not know.
    #[error(
        "the component uses `{0}`, which this gateway does not know: the gateway is older than the plugin; update it"
    )]
    NewerContract(String),
    /// Nothing to call.
    #[error(
        "the component exports none of perkgate:plugin/purchases, /refunds, /joins, /profiles, /wakes, /redemptions and \
         /answers at version 1, so it has nothing to decide; export at least one"
    )]
    NoExport,
}
