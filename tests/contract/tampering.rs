//! What the ledger is proved against: postings that nobody can change, and a check that finds whatever else was changed.

use super::data::{SHOP, bought, settled};
use super::ground::Ground;

on_both! {
    postings_are_never_changed
    a_check_finds_what_was_tampered_with
}

async fn postings_are_never_changed(ground: &Ground) {
    settled(ground, &[bought(ground, SHOP, "1", "jana").await]).await;
    for statement in ["update postings set amount = 2", "delete from postings"] {
        let error = ground.by_hand(statement).await.expect_err("it is refused");
        assert!(error.to_string().contains("postings are never"), "{statement}: {error}");
    }
    if !ground.is_sqlite() {
        ground.by_hand("truncate postings").await.expect_err("it is refused");
    }
    assert_eq!(ground.number("select amount from postings").await, 1);
}

/// Past the triggers, as somebody with the file or the superuser's password could.
async fn unlock(ground: &Ground) {
    let statements: &[&str] = if ground.is_sqlite() {
        &["drop trigger postings_are_never_updated", "drop trigger postings_are_never_deleted"]
    } else {
        &["drop trigger postings_are_never_changed on postings"]
    };
    for statement in statements {
        ground.by_hand(statement).await.expect("the trigger goes");
    }
}

async fn a_check_finds_what_was_tampered_with(ground: &Ground) {
    settled(ground, &[bought(ground, SHOP, "1", "jana").await, bought(ground, SHOP, "2", "tom").await]).await;
    settled(ground, &[bought(ground, "other", "1", "eva").await]).await;
    let problems = async |merchant: Option<&str>| {
        let merchant = merchant.map(Into::into);
        ground.store().verify(merchant.as_ref()).await.expect("the ledger is checked").problems
    };
    assert!(problems(None).await.is_empty());
    unlock(ground).await;
    let blank = if ground.is_sqlite() { "zeroblob(32)" } else { r"'\x00'::bytea" };
    let changes = [
        ("members", r#"balances = '{"points":{"available":9,"pending":0}}'"#, "balances = balances"),
        ("balances", "amount = amount - 1", "amount = amount + 1"),
        ("lots", "reversed = 1", "reversed = 0"),
        ("postings", "at = at + 1", "at = at - 1"),
        ("postings", "amount = amount + 1", "amount = amount - 1"),
    ];
    for (table, change, back) in changes {
        let kept = ground.number("select count(*) from members").await;
        let saved = format!("create table saved as select * from {table}");
        ground.by_hand(&saved).await.expect("it is saved");
        let touched = ground.by_hand(&format!("update {table} set {change} where merchant_id = 'kavarna'")).await;
        assert!(touched.expect("it is changed") > 0);
        assert!(!problems(None).await.is_empty(), "{table}: {change}");
        assert!(!problems(Some(SHOP)).await.is_empty(), "{table}: {change}");
        assert!(problems(Some("other")).await.is_empty(), "{table}: {change}: the others are whole");
        if table == "members" {
            let restored = "update members set balances = (select s.balances from saved s
                            where s.merchant_id = members.merchant_id and s.member_id = members.member_id)";
            ground.by_hand(restored).await.expect("it is put back");
        } else {
            ground
                .by_hand(&format!("update {table} set {back} where merchant_id = 'kavarna'"))
                .await
                .expect("it is put back");
        }
        ground.by_hand("drop table saved").await.expect("it is dropped");
        assert_eq!(problems(None).await, Vec::<String>::new(), "{table}: {back}");
        assert_eq!(kept, 3);
    }
    let statement = format!("update members set chain = {blank} where merchant_id = 'other'");
    ground.by_hand(&statement).await.expect("a chain is cut");
    assert!(!problems(Some("other")).await.is_empty() && problems(Some(SHOP)).await.is_empty());
    ground.by_hand("delete from postings where merchant_id = 'kavarna'").await.expect("postings vanish");
    assert!(problems(Some(SHOP)).await.len() >= 3, "balances, chains, lots");
}
