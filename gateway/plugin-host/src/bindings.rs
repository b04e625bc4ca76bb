//! The contract in `sdk/wit` as Rust types, generated.

wasmtime::component::bindgen!({
    path: "../../sdk/wit",
    world: "plugin",
    // What goes in is borrowed from the domain; only answers are owned.
    ownership: Borrowing { duplicate_if_necessary: false },
});
