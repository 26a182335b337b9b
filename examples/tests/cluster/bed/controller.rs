use super::{
    Namespace,
    run::{dies_with_the_test, signal},
};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, PipeReader, Write as _, pipe},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How a controller is to be started.
#[derive(Debug)]
#[must_use = "it is not started yet"]
pub(crate) struct Start<'n> {
    space: &'n Namespace,
    kubeconfig: PathBuf,
    istiod: Option<String>,
    debounce: Duration,
    program: Program,
    flags: Vec<String>,
}

/// A built program, with what its environment has more.
#[derive(Debug, Clone)]
struct Program {
    path: PathBuf,
    environment: Option<(&'static str, &'static str)>,
}

impl<'n> Start<'n> {
    pub(super) fn new(space: &'n Namespace) -> Self {
        Self {
            space,
            kubeconfig: space.bed.file("controller.kubeconfig"),
            istiod: space.bed.address("istiod").map(str::to_owned),
            debounce: Duration::from_millis(100),
            program: Program { path: env!("CARGO_BIN_EXE_controller").into(), environment: None },
            flags: vec!["--namespace".into(), space.name.clone()],
        }
    }

    /// With this flag, too (`&["--instance-id", "blue"]`).
    pub(crate) fn flags(mut self, words: &[&str]) -> Self {
        self.flags.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// By way of this kubeconfig: to a proxy before the API server, as another user.
    pub(crate) fn kubeconfig(mut self, file: PathBuf) -> Self {
        self.kubeconfig = file;
        self
    }

    /// Asks istiod there, or nobody.
    pub(crate) fn istiod(mut self, address: Option<&str>) -> Self {
        self.istiod = address.map(str::to_owned);
        self
    }

    /// How long istiod waits before it pushes; 100 ms unless said otherwise.
    pub(crate) fn debounce(mut self, after: Duration) -> Self {
        self.debounce = after;
        self
    }

    /// Another build of the controller, with a variable of its environment.
    pub(crate) fn program(mut self, path: &Path, environment: (&'static str, &'static str)) -> Self {
        self.program = Program { path: path.to_owned(), environment: Some(environment) };
        self
    }

    /// Starts it; it ends with the test, if it is not dropped before.
    pub(crate) fn start(self) -> Controller<'n> {
        let mut flags = self.flags;
        flags.extend(["--kubeconfig".to_owned(), self.kubeconfig.display().to_string()]);
        if let Some(istiod) = self.istiod {
            let debounce = self.debounce.as_millis().to_string();
            flags.extend(["--istiod", &istiod, "--istiod-debounce-ms", &debounce].map(str::to_owned));
        }
        let (file, log) = (self.space.new_log(), Arc::default());
        let program = self.program;
        let child = spawn(&program, &flags, &file, &log);
        Controller { space: self.space, child, program, flags, file, log }
    }
}

/// What a process has logged so far, and whether it has ended.
#[derive(Debug, Default)]
struct Log {
    text: Mutex<(String, bool)>,
    news: Condvar,
}

impl Log {
    /// Waits until something can be found in the text, or told from the end.
    fn wait<T>(&self, within: Duration, find: impl Fn(&str, bool) -> Option<T>) -> Option<T> {
        let until = Instant::now() + within;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = find(&text.0, text.1) {
                return Some(found);
            }
            let left = until.checked_duration_since(Instant::now())?;
            text = self.news.wait_timeout(text, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes all that comes, to the end; into the file, too.
    fn follow(&self, from: PipeReader, mut file: File) {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = writeln!(file, "{line}");
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            text.0.push_str(&line);
            text.0.push('\n');
            self.news.notify_all();
        }
        self.text.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.news.notify_all();
    }
}

fn spawn(program: &Program, flags: &[String], file: &Path, log: &Arc<Log>) -> Child {
    let file = File::options().create(true).append(true).open(file).unwrap();
    let (from, to) = pipe().unwrap();
    let child = dies_with_the_test(&program.path)
        .args(flags)
        .envs(program.environment)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .stdout(to.try_clone().unwrap())
        .stderr(to)
        .spawn()
        .unwrap();
    log.text.lock().unwrap_or_else(PoisonError::into_inner).1 = false;
    let log = Arc::clone(log);
    thread::spawn(move || log.follow(from, file));
    child
}

/// The built program `controller`, at work in one namespace.
#[derive(Debug)]
pub(crate) struct Controller<'n> {
    space: &'n Namespace,
    child: Child,
    program: Program,
    flags: Vec<String>,
    file: PathBuf,
    log: Arc<Log>,
}

impl Controller<'_> {
    /// How to `kill -9` it from elsewhere; [`kill`](Self::kill) is still to be called.
    pub(crate) fn killer(&self) -> impl FnOnce() + Send + 'static {
        let process = self.child.id().to_string();
        move || signal(&process, "KILL")
    }

    /// Waits until something can be found in its log; `None` when it is not there in time.
    pub(crate) fn find_logged<T>(&self, within: Duration, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.log.wait(within, |log, _| find(log))
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.wait(Duration::from_secs(5), |_, ended| ended.then_some(()));
    }

    /// Another process with the same flags, after [`kill`](Self::kill). Its log is appended.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.flags, &self.file, &self.log);
    }

    /// Everything that it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Waits for a line of its log that has all of these words.
    pub(crate) fn until_logged(&self, words: &[&str], within: Duration) -> String {
        let line = |line: &&str| words.iter().all(|word| line.contains(word));
        match self.log.wait(within, |log, _| log.lines().find(line).map(str::to_owned)) {
            Some(line) => line,
            None => panic!("no line with {words:?} within {within:?}\n{}", self.space.report()),
        }
    }

    /// Its exit code, when it ends in time; -1 when it was killed.
    pub(crate) fn ended(&mut self, within: Duration) -> i32 {
        let ended = self.log.wait(within, |_, ended| ended.then_some(()));
        assert!(ended.is_some(), "it still runs after {within:?}\n{}", self.space.report());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// The memory that it holds now, and the most that it ever held, in kilobytes.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
            line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

impl Drop for Controller<'_> {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        if !thread::panicking() {
            assert!(!log.contains("panicked at"), "it panicked:\n{log}");
        }
    }
}
