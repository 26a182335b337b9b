//! Trouble on purpose: what is stopped, killed, cut off or slow.

use super::{
    Bed,
    period::pass,
    programs,
    run::{Ran, signal},
};
use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

impl Bed {
    /// Stops a server (`istiod`, `sidecar-1`, `kube-apiserver`, …) until what is returned is dropped: it is silent, and
    /// its connections stay open.
    pub(crate) fn freeze(&self, server: &str) -> Frozen {
        let process = self.process(server);
        signal(&process, "STOP");
        Frozen { process }
    }

    /// `kill -9` of a server. Only istiod can be [started again](Self::start_istiod).
    pub(crate) fn kill(&self, server: &str) {
        signal(&self.process(server), "KILL");
    }

    /// A new istiod, after it was killed.
    pub(crate) fn start_istiod(&self) {
        signal(fs::read_to_string(self.file("lock")).unwrap().trim(), "USR1");
    }

    /// Takes the way to istiod from an Envoy until what is returned is dropped; pods are reached as before.
    pub(crate) fn cut_off(&self, proxy: &str) -> CutOff {
        let cut = CutOff { folder: self.file("").display().to_string(), proxy: proxy.to_owned() };
        cut.route("add").ok();
        cut
    }

    /// Runs a command inside the cluster's network.
    pub(crate) fn inside(&self, command: &str) -> Ran {
        let mut run = Command::new(programs().join("cluster"));
        run.arg("run").arg("--dir").arg(self.file("")).arg("--").args(command.split(' '));
        Ran::run(&mut run, "")
    }

    /// An address of istiod's debug paths whose answers can be made slow.
    pub(crate) fn slow_istiod(&self) -> Slow {
        let to = self.address("istiod").unwrap().trim_start_matches("http://").parse().unwrap();
        Slow::start(to)
    }

    fn process(&self, server: &str) -> String {
        fs::read_to_string(self.file(&format!("{server}.pid"))).unwrap().trim().to_owned()
    }
}

/// A server that is stopped.
#[derive(Debug)]
#[must_use = "it goes on when this is dropped"]
pub(crate) struct Frozen {
    process: String,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal(&self.process, "CONT");
    }
}

/// An Envoy that does not reach istiod.
#[derive(Debug)]
#[must_use = "it reaches it again when this is dropped"]
pub(crate) struct CutOff {
    folder: String,
    proxy: String,
}

impl CutOff {
    fn route(&self, what: &str) -> Ran {
        let number =
            ["sidecar-1", "sidecar-2", "gateway"].iter().position(|name| *name == self.proxy).unwrap() + 1;
        let mut command = Command::new(programs().join("cluster"));
        command.args(["run", "--dir", &self.folder, "--in", &self.proxy, "--"]);
        command.args(["ip", "route", what, "blackhole", &format!("10.255.{number}.1")]);
        Ran::run(&mut command, "")
    }
}

impl Drop for CutOff {
    fn drop(&mut self) {
        self.route("del");
    }
}

/// Stands before a server, and gives each answer when it is told to. It ends with the process.
#[derive(Debug)]
pub(crate) struct Slow {
    address: SocketAddr,
    milliseconds: Arc<AtomicU64>,
}

impl Slow {
    fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let milliseconds = Arc::<AtomicU64>::default();
        let by = Arc::clone(&milliseconds);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // An end in the middle is the asker's business.
                let _ = TcpStream::connect(to).and_then(|far| relay(&near, &far, &by));
            }
        });
        Self { address, milliseconds }
    }

    /// From now on each answer takes so much longer.
    pub(crate) fn takes(&self, by: Duration) {
        self.milliseconds.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// For the flag `--istiod`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Between question and answer it waits; what belongs to one answer follows at once.
fn relay(near: &TcpStream, far: &TcpStream, by: &Arc<AtomicU64>) -> io::Result<()> {
    let (mut ask, mut to) = (near.try_clone()?, far.try_clone()?);
    let (mut from, mut answer) = (far.try_clone()?, near.try_clone()?);
    let asked = Arc::new(AtomicBool::new(false));
    let (is_new, by) = (Arc::clone(&asked), Arc::clone(by));
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = ask.read(&mut buffer) {
            asked.store(true, Ordering::SeqCst);
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both)
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if is_new.swap(false, Ordering::SeqCst) {
                pass(Duration::from_millis(by.load(Ordering::SeqCst)));
            }
            if answer.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        answer.shutdown(Shutdown::Both)
    });
    Ok(())
}
