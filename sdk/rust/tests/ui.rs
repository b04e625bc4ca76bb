//! Misuse of the attributes answers in a sentence.

#[test]
fn misuse_answers_in_a_sentence() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/rules.rs");
    cases.compile_fail("tests/ui/misuse.rs");
    cases.compile_fail("tests/ui/types.rs");
}
