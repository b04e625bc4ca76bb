//! The built `.wasm` over its cases, under production limits.

use perkgate_testkit::{Bench, build, run_cases};
use std::path::Path;

#[test]
fn the_built_plugin_passes_its_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let component = build(folder).expect("builds");
    let bench = Bench::new(&component).expect("loads under production limits");
    let report = run_cases(&folder.join("cases"), &bench).expect("readable cases");
    println!("{report}");
    assert!(report.passed(), "{report}");
}
