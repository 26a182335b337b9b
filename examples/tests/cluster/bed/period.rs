use std::{thread, time::Duration};

/// Lets real time pass: for a figure over a period, or an answer that is late on purpose. No test waits for
/// something in this way: what is to happen is waited for with what the watches show.
pub(crate) fn pass(period: Duration) {
    thread::sleep(period);
}
