//! What is told to the user in events.

mod outbox;
mod publish;
mod said;

pub(crate) use publish::Publisher;
pub(crate) use said::Said;
