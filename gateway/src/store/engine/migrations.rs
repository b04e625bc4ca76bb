//! The migrations of either engine. A new one is a file in `migrations/` and a line here.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::sync::LazyLock;

macro_rules! files {
    ($engine:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../../migrations/", $engine, "/", $name, ".sql")))),*]
    };
}

pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
    migrator(files!("sqlite": "0001_start" "0002_sound" "0003_keys" "0004_people" "0005_audit" "0006_large"))
});
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    migrator(files!("postgres": "0001_start" "0002_sound" "0003_keys" "0004_people" "0005_audit" "0006_large"))
});

fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = (1..).zip(files).map(|(version, (name, sql))| {
        let description = name.split_once('_').map_or(*name, |(_, description)| description);
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::migrate::MigrateError;
    use std::path::Path;

    #[tokio::test]
    async fn every_file_is_here_in_its_order() -> Result<(), MigrateError> {
        for (engine, migrator) in [("sqlite", &SQLITE), ("postgres", &POSTGRES)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
            let read = Migrator::new(folder).await?;
            let told = |migrator: &Migrator| -> Vec<_> {
                migrator.iter().map(|one| (one.version, one.checksum.to_vec(), one.description.to_string())).collect()
            };
            assert_eq!(told(migrator), told(&read), "{engine}");
        }
        Ok(())
    }
}
