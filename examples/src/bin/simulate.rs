//! Plays a canary in virtual time; `simulate --help` says how.

use std::{
    env,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

fn main() -> io::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let code =
        examples::simulate::run(env::args_os().skip(1), &mut io::stdin(), &mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(code.into())
}
