//! The store's contract: what every act promises, on whatever database. Each promise is one function over a [`ground::Ground`], and is
//! run on SQLite and on PostgreSQL. Where it takes two processes to break one, two stores are opened over one database.

/// Makes of each promise a test on either database.
macro_rules! on_both {
    ($($promise:ident)*) => {
        mod on_sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$promise(&crate::contract::ground::Ground::sqlite().await).await;
            }
        )*}
        mod on_postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let name = concat!(module_path!(), "::", stringify!($promise));
                let Some(ground) = crate::contract::ground::Ground::postgres(name).await else { return };
                super::$promise(&ground).await;
            }
        )*}
    };
}

mod admit;
mod audit;
mod claims;
mod commands;
mod data;
mod deliveries;
mod ground;
mod identify;
mod journal;
mod keeping;
mod keys;
mod looks;
mod members;
mod opening;
mod people;
mod plans;
mod programme;
mod settle;
mod stalled;
mod tampering;
mod turns;
mod whole;
