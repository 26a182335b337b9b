//! Plays a canary in virtual time; `simulate --help` says how.

use std::{
    env,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

fn main() -> io::Result<ExitCode> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    let words = env::args_os().skip(1);
    let code = examples::simulate::run(words, &mut io::stdin(), &mut out, &mut anstream::stderr());
    match code.and_then(|code| out.flush().map(|()| code)) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        code => code.map(ExitCode::from),
    }
}
