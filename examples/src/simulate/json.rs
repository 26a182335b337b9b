//! The timeline as JSON lines.

use super::{args::Expect, play::Play, summary::Line};
use rollout_core::sim::Summary;
use std::io::{self, Write};

pub(crate) fn write(_out: &mut dyn Write, _play: &Play<'_>, _summary: &Summary) -> io::Result<()> {
    Ok(())
}

pub(crate) fn end(_out: &mut dyn Write, _lines: &[Line], _expect: Expect) -> io::Result<()> {
    Ok(())
}
