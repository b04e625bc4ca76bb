//! `perkgate key`: the keys that everything is sealed with.

use super::{Database, actor, print_json};
use perkgate_gateway::clock::{Clock as _, SystemClock};
use perkgate_gateway::keyring::{self, Status, Step};
use perkgate_gateway::store::Schema;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Which keys there are, and how much is sealed with each
    Status(Flags),
    /// Make new keys and seal everything again, while others serve; cut off, it is run again and goes on
    Rotate(Flags),
    /// Drop the older keys when a rotation is done
    Retire(Retiring),
}

#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// One JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Retiring {
    /// Also if tokens end by it that are still good
    #[arg(long)]
    end_tokens: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status(flags) => {
            let (store, vault) = flags.database.open(Schema::Current).await?;
            show(&keyring::status(store.as_ref(), &vault).await?, flags.json)?;
        }
        Command::Rotate(flags) => {
            let (store, vault) = flags.database.open(Schema::Current).await?;
            let told = |step: Step| match step {
                Step::Known => eprintln!(
                    "the new keys are known; the processes that serve have {} s to learn of them",
                    keyring::LEARNING.as_secs()
                ),
                Step::Used => eprintln!("the new keys are in use"),
                Step::Sealed(place, count) => eprintln!("{}: {count} sealed again", place.column().0),
            };
            let status =
                keyring::rotate(store.as_ref(), &vault, &actor(), &SystemClock, keyring::LEARNING, told).await?;
            show(&status, flags.json)?;
            if !flags.json {
                println!("nothing is sealed with an older key; back up the new one, then run `perkgate key retire`");
            }
        }
        Command::Retire(flags) => {
            let (store, vault) = flags.database.open(Schema::Current).await?;
            keyring::retire(store.as_ref(), &vault, &actor(), SystemClock.now(), flags.end_tokens).await?;
            println!("the older keys are gone; PERKGATE_KEY_OLD, if it is set, is not needed any more");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(status: &Status, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&serde_json::to_value(status)?);
    }
    println!("root keys of the database: {}", status.roots.join(", "));
    println!("root keys at hand, newest first: {}", status.at_hand.join(", "));
    for (purpose, generations) in &status.keys {
        let named = generations
            .iter()
            .map(|key| format!("{}{}", key.generation, if key.active { "" } else { " (not in use yet)" }));
        println!("{purpose}: {}", named.collect::<Vec<_>>().join(", "));
    }
    for (place, counts) in &status.sealed {
        let (table, column) = place.column();
        for (generation, count) in counts {
            println!("{table}.{column}: {count} sealed with generation {generation}");
        }
    }
    println!(
        "{} sealed with an older key{}",
        status.older(),
        if status.rotating { "; a rotation is under way" } else { "" }
    );
    Ok(())
}
