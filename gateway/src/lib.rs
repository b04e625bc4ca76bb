//! The loyalty gateway. The rooms are declared in the order in which a purchase meets them; `gateway/README.md` walks one through.

pub mod listen;

pub mod receive;

pub mod api;

pub mod errand;

pub mod connectors;

pub mod journal;

pub mod identity;

pub mod decide;

pub mod ledger;

pub mod notify;

pub mod pipeline;

pub mod worker;

pub mod registry;

pub mod store;

pub mod outbound;

pub mod vault;

pub mod keyring;

pub mod tokens;

pub mod panics;

pub mod clock;

pub mod civil;

pub mod ladder;

pub mod explain;

pub mod telemetry;

pub mod ops;

pub mod merchant_file;

pub mod apply;

pub mod gateway;

pub mod stock;

pub mod files;
