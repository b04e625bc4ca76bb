//! Whoever reads a command's output may hang up: the command is done to its end, and says nothing of it.

use crate::binary::{SECRET, Shop, perkgate};

#[test]
fn who_hangs_up_ends_no_command_badly() {
    let shop = Shop::new();
    let file = shop.merchant_file();
    let backup = shop.path("backup.db");
    // The first changes something, and has changed it although nobody heard.
    for quietly in [
        &["apply", &file][..],
        &["apply", &file, "--check"],
        &["migrate"],
        &["member", "join", "--merchant", "kavarna", "--email", "jana@example.com"],
        &["member", "--merchant", "kavarna", "email:jana@example.com"],
        &["member", "--merchant", "kavarna", "email:jana@example.com", "--json"],
        &["explain", "--merchant", "kavarna", "--member", "email:jana@example.com"],
        &["rejections", "--merchant", "kavarna"],
        &["deliveries", "--merchant", "kavarna"],
        &["tasks", "--merchant", "kavarna"],
        &["token", "create", "--role", "operator"],
        &["ledger", "verify"],
        &["ledger", "verify", "--json"],
        &["backup", &backup],
    ] {
        assert_eq!(shop.ask_and_hang_up(quietly), Some(0), "{quietly:?}");
    }
    assert!(std::fs::exists(&backup).expect("a look"));
    let failing = ["member", "--merchant", "kavarna", "email:nobody@example.com"];
    assert_eq!(shop.ask_and_hang_up(&failing), Some(1), "it fails as it would have, and does not panic");
    assert_eq!(shop.ask_and_hang_up(&["send", "shopify"]), Some(2));
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let shop = Shop::new();
    assert_eq!(shop.ask(&["migrate"]).code, 0);
    let ran = shop.ask_without_room(&["ledger", "verify"]);
    assert_eq!(ran.code, 1, "{ran}");
    ran.says_one_sentence("cannot write the output");
}

#[test]
fn a_gateway_goes_on_whose_log_nobody_reads() {
    let shop = Shop::new();
    let served = shop.serve_unheard();
    let sent =
        perkgate(&["send", "shopify", "--to", &served.door(), "--secret", SECRET, "--email", "jana@example.com"]);
    assert_eq!(sent.code, 0, "{sent}");
    shop.until_settled("email:jana@example.com", 1);
    served.stops_well();
}
