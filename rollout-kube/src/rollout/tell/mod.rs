//! What is told to the user in events.

mod outbox;
mod publish;
mod said;

pub use publish::Publisher;
pub use said::Said;
