//! Processes that cannot outlive us, however we end.
//!
//! Each is started by a small shell of its own that holds the reading end of a pipe. The writing
//! end is ours alone, so it closes when we drop it, exit, panic or are killed by a signal that
//! nobody can catch; the shell then ends the process and removes its scratch folder.
//! `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that forked ends, and runtimes end
//! threads. The shell leads a process group of its own, so a Ctrl-C at the terminal reaches us
//! first and never the process directly.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};

use crate::user::Unprivileged;

/// Longer than the shell takes to lose its patience.
const PATIENCE: Duration = Duration::from_secs(15);

/// `$1`: seconds of patience, `$2`: the signal that asks for an end, `$3`: the folder to remove
/// when we are gone, or nothing; then the command. Its first and only line of output is the
/// process' id; the process' own output goes to standard error. It lives as long as the process and
/// exits with its status.
const SHELL: &str = r#"
patience=$1 signal=$2 scratch=$3
shift 3
exec 3<&0
"$@" </dev/null >&2 3<&- &
process=$!
echo "$process"
exec >/dev/null 2>&1
# A frozen process takes no signal but KILL, and those it forked would outlive it: all of them are thawed, and killed at last.
everyone() {
    echo "$process"
    cat "/proc/$process/task/$process/children" || pgrep -P "$process"
}
(
    read -r _ <&3
    trap '' TERM
    kill -s CONT $(everyone)
    kill -s "$signal" "$process"
    tenths=0
    while kill -0 "$process" && [ "$tenths" -lt "${patience}0" ]; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -s KILL $(everyone)
    exit 0
) &
watch=$!
wait "$process"
status=$?
kill -s TERM "$watch"
wait "$watch" && [ -n "$scratch" ] && rm -rf -- "$scratch"
exit "$status"
"#;

/// What to start, and how to end it.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// What its environment says.
    pub(crate) environment: Vec<(String, String)>,
    /// Whether that comes on top of our own environment, or is all of it.
    pub(crate) inherit: bool,
    /// Whom to run it as, when not as ourselves.
    pub(crate) user: Option<Unprivileged>,
    /// Where its output goes.
    pub(crate) output: Stdio,
    /// The signal that asks it to end.
    pub(crate) stop: Signal,
    /// How long it may take to follow, before it is killed.
    pub(crate) patience: Duration,
    /// The folder to remove when we are gone.
    pub(crate) scratch: Option<PathBuf>,
}

/// A running process and the shell that watches over it.
#[derive(Debug)]
pub(crate) struct Process {
    shell: Child,
    pid: Pid,
    stop: Signal,
    patience: Duration,
}

impl Process {
    pub(crate) fn start(recipe: Recipe) -> Result<Self> {
        let name = recipe.command.first().cloned().unwrap_or_default();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SHELL, "watch"])
            .arg(recipe.patience.as_secs().to_string())
            .arg(signal_name(recipe.stop));
        command.arg(recipe.scratch.unwrap_or_default()).args(&recipe.command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(recipe.output)
            .process_group(0)
            .current_dir("/");
        if !recipe.inherit {
            command.env_clear();
        }
        command.envs(recipe.environment);
        if let Some(user) = recipe.user {
            command.uid(user.uid).gid(user.gid);
        }
        let mut shell = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let pid = line
            .trim()
            .parse()
            .with_context(|| format!("cannot start {name}: the shell gave no process id"))?;
        Ok(Self { shell, pid: Pid::from_raw(pid), stop: recipe.stop, patience: recipe.patience })
    }

    /// The process' own id, not the shell's.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// The reading end of its output, once, where [`Recipe::output`] is a pipe.
    pub(crate) fn take_output(&mut self) -> Option<ChildStderr> {
        self.shell.stderr.take()
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.shell.try_wait()?)
    }

    /// Asks it to end, then makes it.
    pub(crate) async fn stop(&mut self) -> Result<ExitStatus> {
        self.thaw()?;
        self.signal(self.stop)?;
        match self.wait(self.patience).await? {
            Some(status) => Ok(status),
            None => self.kill().await,
        }
    }

    /// Kills it and what it forked, without a word.
    pub(crate) async fn kill(&mut self) -> Result<ExitStatus> {
        // Halted first, it cannot fork while its children are looked up; dead, it would have none.
        self.signal(Signal::SIGSTOP)?;
        let children = children(self.pid);
        self.signal(Signal::SIGKILL)?;
        for child in &children {
            deliver(*child, Signal::SIGKILL)?;
        }
        // Postgres does not start again while one of them has not yet let go of the memory they
        // shared.
        let deadline = Instant::now() + PATIENCE;
        while children.iter().copied().any(lives) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match self.wait(PATIENCE).await? {
            Some(status) => Ok(status),
            None => bail!("process {} does not die", self.pid),
        }
    }

    /// Halts it and what it forked: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal_all(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::SIGCONT)
    }

    /// Waits for its end, at most `patience`.
    pub(crate) async fn wait(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.shell.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        self.signal(signal)?;
        for child in children(self.pid) {
            deliver(child, signal)?;
        }
        Ok(())
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        deliver(self.pid, signal)
    }
}

impl Drop for Process {
    /// Closing the pipe is enough; waiting for the shell makes the end visible to who looks right
    /// after.
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.shell.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A process that is gone has what every signal to it asks for.
fn deliver(pid: Pid, signal: Signal) -> Result<()> {
    match signal::kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot send {signal} to process {pid}")),
    }
}

/// Whether a process still holds anything: a dead one may go on being listed until somebody asks
/// how it ended. Known on Linux alone.
fn lives(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// Direct children only: none of our services forks deeper. Other systems than Linux have `pgrep`
/// for it.
fn children(pid: Pid) -> Vec<Pid> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_else(|_| {
        let listed = Command::new("pgrep").arg("-P").arg(pid.to_string()).output();
        listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
    });
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

fn signal_name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

/// What a status means to a person; a shell reports a signal as 128 + its number.
pub(crate) fn describe(status: ExitStatus) -> String {
    let signal = status.signal().or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128));
    match signal.and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => format!("was ended by {signal}"),
        None => format!("exited with status {}", status.code().unwrap_or(-1)),
    }
}
