//! Whose file it is, what it may take, and what is read before anything is looked at.

use super::*;
use crate::store::Schema;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;
use tempfile::TempDir;

struct Desk {
    directory: TempDir,
    store: Arc<dyn Store>,
    vault: Vault,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("perkgate.db").display());
        let store = crate::store::open(&url, Schema::Migrate).await.unwrap();
        Self { directory, store, vault: Vault::new([7; 32]) }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
    /// Writes a file of the merchant `id` with this name and the rest of its `[merchant]` and all behind it.
    fn write(&self, file: &str, id: &str, name: &str, rest: &str) -> PathBuf {
        let head = format!(
            "[merchant]\nid = \"{id}\"\nname = \"{name}\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nlocale = \"sk\"\n"
        );
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, head + rest).unwrap();
        path
    }
    async fn prepare(&self, path: &Path, merchant: Option<&str>) -> Result<Prepared, ApplyError> {
        let secrets = self.path("secrets");
        prepare(&Given { path, merchant, secrets: Some(&secrets) }, self.store.as_ref()).await
    }
    async fn apply(&self, path: &Path, merchant: Option<&str>) -> Result<bool, ApplyError> {
        let by = Actor::command("tests".to_owned());
        apply(&self.prepare(path, merchant).await?, self.store.as_ref(), &self.vault, &by, Moment(0)).await
    }
    async fn name_of(&self, merchant: &str) -> String {
        let all = self.store.programmes().await.unwrap();
        all.into_iter().find(|rows| rows.merchant.id.as_str() == merchant).unwrap().merchant.name
    }
    /// Writes a secret of a merchant.
    fn secret(&self, merchant: &str, name: &str, text: &str) -> PathBuf {
        let directory = self.path("secrets").join(merchant);
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

fn eshop(secret: &str) -> String {
    format!("[[sources]]\nid = \"eshop\"\nplatform = \"shopify\"\nsecrets = [\"{secret}\"]\n")
}

#[tokio::test]
async fn a_file_does_not_replace_another_merchant_s_programme() {
    let desk = Desk::new().await;
    let first = desk.write("m0.toml", "kavarna", "Kavárna", "");
    assert!(desk.apply(&first, None).await.unwrap(), "a new merchant is nobody's yet");
    desk.write("m0.toml", "kavarna", "Kavárna U Mosta", "");
    assert!(desk.apply(&first, None).await.unwrap(), "the file that it came from");

    let evil = desk.write("evil.toml", "kavarna", "Evil", "");
    let error = desk.apply(&evil, None).await.unwrap_err().to_string();
    let end = "call it kavarna.toml or apply it with `perkgate apply FILE --merchant kavarna`; else correct `id` of [merchant]";
    assert!(error.contains("/m0.toml: one file") && error.ends_with(end), "{error}");
    let elsewhere = desk.write("evil/m0.toml", "kavarna", "Evil", "");
    assert!(matches!(desk.apply(&elsewhere, None).await, Err(ApplyError::OtherFile { .. })), "of the same name");
    // Nor by the operator's word that it is somebody else's.
    let error = desk.apply(&evil, Some("evil")).await.unwrap_err().to_string();
    assert!(error.contains("says that it is of the merchant `kavarna`, and it is to be of `evil`"), "{error}");
    assert_eq!(desk.name_of("kavarna").await, "Kavárna U Mosta");
    // Saying the same changes nothing, whoever says it.
    let same = desk.write("same.toml", "kavarna", "Kavárna U Mosta", "");
    assert!(!desk.apply(&same, None).await.unwrap());

    let named = desk.write("new/kavarna.toml", "kavarna", "Kavárna, by its name", "");
    assert!(desk.apply(&named, None).await.unwrap() && !desk.apply(&named, None).await.unwrap());
    assert!(matches!(desk.apply(&first, None).await, Err(ApplyError::OtherFile { .. })), "it came from another since");
    assert!(desk.apply(&first, Some("kavarna")).await.unwrap(), "by the operator's word");
    assert!(!desk.apply(&first, None).await.unwrap(), "and from here on it is the one");
    assert_eq!(desk.name_of("kavarna").await, "Kavárna U Mosta");
}

#[tokio::test]
async fn secrets_are_for_a_file_that_is_held_to_be_the_merchant_s() {
    let desk = Desk::new().await;
    desk.secret("kavarna", "eshop", "shpss-of-kavarna\n");
    desk.secret("other", "eshop", "shpss-of-other\n");
    let shop = desk.write("shop.toml", "kavarna", "K", &eshop("file:eshop"));
    let error = desk.prepare(&shop, None).await.unwrap_err().to_string();
    assert!(error.contains("this file is shop's by its name") && error.contains("call it kavarna.toml"), "{error}");
    let own = desk.prepare(&shop, Some("kavarna")).await.unwrap();
    assert_eq!(own.sources()[0].secrets, ["shpss-of-kavarna"]);
    assert!(own.warnings.is_empty(), "{:?}", own.warnings);
    let named = desk.write("other.toml", "other", "O", &eshop("file:eshop"));
    assert_eq!(desk.prepare(&named, None).await.unwrap().sources()[0].secrets, ["shpss-of-other"]);
    // That it was applied from this file before says nothing about whose file it is.
    let squatter = desk.write("squatter.toml", "kavarna", "K", "");
    assert!(desk.apply(&squatter, None).await.unwrap());
    desk.write("squatter.toml", "kavarna", "K", &eshop("file:eshop"));
    assert!(matches!(desk.apply(&squatter, None).await, Err(ApplyError::File(_))));
}

#[tokio::test]
async fn a_secret_is_a_file_of_the_merchant_s_that_nobody_else_may_write() {
    let desk = Desk::new().await;
    let of_other = desk.secret("other", "eshop", "shpss-of-other");
    let own = desk.secret("kavarna", "eshop", "shpss-of-kavarna");
    let file = desk.write("kavarna.toml", "kavarna", "K", &eshop("file:eshop"));
    let said = async || desk.prepare(&file, None).await.unwrap_err().to_string();

    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = desk.prepare(&file, None).await.unwrap().warnings;
    assert!(matches!(warnings.as_slice(), [one] if one.starts_with("others may read ")), "{warnings:?}");
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o620)).unwrap();
    assert!(said().await.contains("others may write "));

    std::fs::remove_file(&own).unwrap();
    assert!(said().await.contains("put the secret there"));
    symlink(&of_other, &own).unwrap();
    assert!(said().await.contains("is a link to a place outside of its directory"));
    std::fs::remove_file(&own).unwrap();
    // As a cluster mounts secrets: a link to another name within the directory.
    desk.secret("kavarna", "..2026", "shpss-of-kavarna");
    symlink("..2026", &own).unwrap();
    assert_eq!(desk.prepare(&file, None).await.unwrap().sources()[0].secrets, ["shpss-of-kavarna"]);
    std::fs::write(&own, "x".repeat(perkgate_domain::limits::SECRET_BYTES + 1)).unwrap();
    assert!(said().await.contains("it has more than 16384 bytes"));

    let nowhere = prepare(&Given::new(&file), desk.store.as_ref()).await.unwrap_err().to_string();
    assert!(nowhere.contains("name one with --secrets DIR, or set PERKGATE_SECRETS"), "{nowhere}");
}

#[tokio::test]
async fn a_short_secret_is_refused_where_the_platform_s_are_long() {
    let desk = Desk::new().await;
    let file = desk.write("kavarna.toml", "kavarna", "K", &eshop("7 bytes"));
    let error = desk.prepare(&file, None).await.unwrap_err().to_string();
    assert!(error.contains("a secret in `secrets` has 7 bytes, and one below 8 is found by trying"), "{error}");
    desk.write("kavarna.toml", "kavarna", "K", &eshop("8 bytes!"));
    assert!(desk.prepare(&file, None).await.is_ok());
    let till = "[[sources]]\nid = \"till\"\nplatform = \"generic-hmac\"\nsecrets = [\"g\"]\n[sources.options]\nheader = \"x-sig\"\n\
                purchase = { id = \"/id\", currency = \"EUR\", total = \"/total\", placed_at = \"/t\" }\n";
    desk.write("kavarna.toml", "kavarna", "K", till);
    let warnings = desk.prepare(&file, None).await.unwrap().warnings;
    assert!(matches!(warnings.as_slice(), [one] if one.contains("has 1 bytes")), "{warnings:?}");
}

#[tokio::test]
async fn what_a_file_names_is_regular_and_bounded() {
    let desk = Desk::new().await;
    symlink("/dev/zero", desk.path("endless.wasm")).unwrap();
    let file = desk.write("kavarna.toml", "kavarna", "K", "[[plugins]]\nplugin = \"endless.wasm\"\n");
    let error = desk.prepare(&file, None).await.unwrap_err().to_string();
    assert!(error.contains("it is a device or pipe"), "{error}");
    let large = std::fs::File::create(desk.path("large.wasm")).unwrap();
    large.set_len(u64::try_from(COMPONENT_BYTES).unwrap() + 1).unwrap();
    desk.write("kavarna.toml", "kavarna", "K", "[[plugins]]\nplugin = \"large.wasm\"\n");
    let error = desk.prepare(&file, None).await.unwrap_err().to_string();
    assert!(error.contains("it has more than 33554432 bytes"), "{error}");
    let endless = desk.path("endless.toml");
    symlink("/dev/zero", &endless).unwrap();
    assert!(matches!(desk.prepare(&endless, None).await, Err(ApplyError::Read { .. })));
}
