//! Wraps a core module into a component and puts the manifest into it.

use crate::inspect::{inspect, too_long};
use crate::{PackError, SECTION};
use perkgate_domain::limits;
use perkgate_domain::manifest::Manifest;
use std::borrow::Cow;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

/// Makes the plugin component of a core module that was built against the SDK. The same input gives the same bytes.
///
/// # Errors
/// [`PackError`] if the module imports what plugins do not have, cannot be wrapped, or [`inspect()`] refuses the result.
pub fn pack(core_module: &[u8], manifest: &Manifest) -> Result<Vec<u8>, PackError> {
    check_imports(core_module)?;
    // The alternate form of its error is the whole chain of causes on one line.
    let encode = |error| PackError::Encode(format!("{error:#}"));
    let component =
        ComponentEncoder::default().validate(true).module(core_module).map_err(encode)?.encode().map_err(encode)?;
    let plugin = embed(&component, manifest)?;
    inspect(&plugin)?;
    Ok(plugin)
}

/// Appends the manifest to a component that another toolchain made. [`pack()`] does this for core modules.
///
/// # Errors
/// [`PackError::Manifest`] if [`Manifest::check`] does not hold or the manifest is too long.
pub fn embed(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, PackError> {
    manifest.check().map_err(PackError::Manifest)?;
    let json = serde_json::to_vec(manifest).map_err(|error| PackError::Manifest(error.to_string()))?;
    if json.len() > limits::MANIFEST_BYTES {
        return Err(PackError::Manifest(too_long(json.len())));
    }
    let mut plugin = component.to_vec();
    CustomSection { name: Cow::Borrowed(SECTION), data: Cow::Owned(json) }.append_to_component(&mut plugin);
    Ok(plugin)
}

/// Refuses foreign imports before the encoder does, whose message could not name the cure.
fn check_imports(core_module: &[u8]) -> Result<(), PackError> {
    let broken = |error: wasmparser::BinaryReaderError| PackError::NotAModule(error.to_string());
    for payload in Parser::new(0).parse_all(core_module) {
        match payload.map_err(broken)? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err(PackError::NotAModule("it is a component already".to_owned()));
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(broken)?;
                    // Bindings import `perkgate:plugin/log@1.0.0`; the standard names put `cm32p2|` before it.
                    if !import.module.trim_start_matches("cm32p2|").starts_with("perkgate:plugin/") {
                        return Err(PackError::ForeignModuleImport {
                            module: import.module.to_owned(),
                            name: import.name.to_owned(),
                        });
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
