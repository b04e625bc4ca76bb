//! What goes into admitting for the merchant: the task that two members may be one person.

use perkgate_domain::decision::Message;
use perkgate_domain::ids::ChannelId;

/// A task for the merchant, should two members be named. `{one}` and `{other}` in its text become their ids.
#[derive(Clone, Debug)]
pub struct DoubtTask {
    /// Key, title, text and language.
    pub message: Message,
    /// By which the merchant is told of tasks.
    pub channels: Vec<ChannelId>,
}
