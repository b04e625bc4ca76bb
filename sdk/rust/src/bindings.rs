//! What `wit-bindgen` makes of `sdk/wit`: the types once, and one set of exports for each kind of entry, so that a plugin
//! exports exactly the interfaces it has rules for.
//!
//! Each export macro carries the description of its own small world into the plugin that invokes it; `wit-component` merges
//! the descriptions of a plugin that has several rules.

/// The types, the log, and the exports of `purchases`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod purchases {
    wit_bindgen::generate!({
        path: "../wit",
        world: "purchase-plugin",
        pub_export_macro: true,
        export_macro_name: "export_purchases",
        default_bindings_module: "::perkgate::__rt::purchases::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        generate_unused_types: true,
    });
}

/// The exports of `refunds`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod refunds {
    wit_bindgen::generate!({
        path: "../wit",
        world: "refund-plugin",
        pub_export_macro: true,
        export_macro_name: "export_refunds",
        default_bindings_module: "::perkgate::__rt::refunds::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}

/// The exports of `joins`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod joins {
    wit_bindgen::generate!({
        path: "../wit",
        world: "join-plugin",
        pub_export_macro: true,
        export_macro_name: "export_joins",
        default_bindings_module: "::perkgate::__rt::joins::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}

/// The exports of `profiles`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod profiles {
    wit_bindgen::generate!({
        path: "../wit",
        world: "profile-plugin",
        pub_export_macro: true,
        export_macro_name: "export_profiles",
        default_bindings_module: "::perkgate::__rt::profiles::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}

/// The exports of `wakes`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod wakes {
    wit_bindgen::generate!({
        path: "../wit",
        world: "wake-plugin",
        pub_export_macro: true,
        export_macro_name: "export_wakes",
        default_bindings_module: "::perkgate::__rt::wakes::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}

/// The exports of `redemptions`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod redemptions {
    wit_bindgen::generate!({
        path: "../wit",
        world: "redemption-plugin",
        pub_export_macro: true,
        export_macro_name: "export_redemptions",
        default_bindings_module: "::perkgate::__rt::redemptions::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}

/// The exports of `answers`.
#[expect(clippy::same_length_and_capacity, reason = "generated: the canonical ABI hands over exactly that")]
#[expect(missing_docs, reason = "the contract documents itself; what is generated around it is nobody's interface")]
pub mod answers {
    wit_bindgen::generate!({
        path: "../wit",
        world: "answer-plugin",
        pub_export_macro: true,
        export_macro_name: "export_answers",
        default_bindings_module: "::perkgate::__rt::answers::bindings",
        runtime_path: "::perkgate::__rt::wit_bindgen::rt",
        with: {
            "perkgate:plugin/types@1.0.0": crate::bindings::purchases::perkgate::plugin::types,
            "perkgate:plugin/log@1.0.0": crate::bindings::purchases::perkgate::plugin::log,
        },
    });
}
