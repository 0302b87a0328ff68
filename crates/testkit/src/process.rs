//! Processes that cannot outlive this one, however it ends.
//!
//! A small shell starts each process and holds the reading end of a pipe. Only this process has the
//! writing end, so it closes when it is dropped and when this process exits, panics or is killed.
//! The shell then ends its process and removes the scratch folder. `PR_SET_PDEATHSIG` would not do:
//! it fires when the *thread* that forked ends, and runtimes end threads. The shell leads a process
//! group of its own, so a Ctrl-C at the terminal reaches this process first and never the child
//! directly.

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

/// Longer than the shell waits before it kills.
const PATIENCE: Duration = Duration::from_secs(15);

/// The script of the shell. `$1`: seconds until it kills, `$2`: the signal that asks the process to
/// end, `$3`: the folder to remove when this process is gone, or nothing; then the command. Its
/// only line of output is the id of the process, whose own output goes to standard error. It lives
/// as long as the process and exits with its status.
const SHELL: &str = r#"
patience=$1 signal=$2 scratch=$3
shift 3
exec 3<&0
"$@" </dev/null >&2 3<&- &
process=$!
echo "$process"
exec >/dev/null 2>&1
# A frozen process takes no signal but KILL, and those that it forked would outlive it. So all of them
# are thawed first, and killed at the end.
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

/// A process to start, and the way to end it.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Its environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// True if they are added to the environment of this process, and false if they are all it
    /// gets.
    pub(crate) inherit: bool,
    /// The user that it runs as, if not the present one.
    pub(crate) user: Option<Unprivileged>,
    /// The destination of its output.
    pub(crate) output: Stdio,
    /// The signal that asks it to end.
    pub(crate) stop: Signal,
    /// The time that it has to end before it is killed.
    pub(crate) patience: Duration,
    /// The folder to remove when this process is gone.
    pub(crate) scratch: Option<PathBuf>,
}

/// A running process and the shell that watches it.
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

    /// Returns the id of the process and not of the shell.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Takes the reading end of its output, if [`Recipe::output`] is a pipe.
    pub(crate) fn take_output(&mut self) -> Option<ChildStderr> {
        self.shell.stderr.take()
    }

    /// Returns how it ended, or `None` while it runs.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.shell.try_wait()?)
    }

    /// Asks it to end, and kills it if it does not.
    pub(crate) async fn stop(&mut self) -> Result<ExitStatus> {
        self.thaw()?;
        self.signal(self.stop)?;
        match self.wait(self.patience).await? {
            Some(status) => Ok(status),
            None => self.kill().await,
        }
    }

    /// Kills it and its children at once.
    pub(crate) async fn kill(&mut self) -> Result<ExitStatus> {
        // It is halted first, so that it cannot fork while its children are looked up.
        self.signal(Signal::SIGSTOP)?;
        let children = children(self.pid);
        self.signal(Signal::SIGKILL)?;
        for child in &children {
            deliver(*child, Signal::SIGKILL)?;
        }
        // Postgres does not start again while one of them still holds their shared memory.
        let deadline = Instant::now() + PATIENCE;
        while children.iter().copied().any(lives) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match self.wait(PATIENCE).await? {
            Some(status) => Ok(status),
            None => bail!("process {} does not die", self.pid),
        }
    }

    /// Halts it and its children: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal_all(Signal::SIGSTOP)
    }

    /// Resumes it.
    pub(crate) fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::SIGCONT)
    }

    /// Waits for its end, for at most `patience`.
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
    /// Closes the pipe, which is enough, and waits for the shell, so that the process is gone
    /// afterwards.
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.shell.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a signal. A process that is gone needs none.
fn deliver(pid: Pid, signal: Signal) -> Result<()> {
    match signal::kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot send {signal} to process {pid}")),
    }
}

/// Returns whether a process still holds resources. A dead one may be listed until somebody asks
/// how it ended. Only Linux tells.
fn lives(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// Returns the direct children, since none of our services forks deeper. Systems other than Linux
/// have `pgrep` for this.
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

/// Describes a status for people. A shell reports a signal as 128 + its number.
pub(crate) fn describe(status: ExitStatus) -> String {
    let signal = status.signal().or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128));
    match signal.and_then(|number| Signal::try_from(number).ok()) {
        Some(signal) => format!("was ended by {signal}"),
        None => format!("exited with status {}", status.code().unwrap_or(-1)),
    }
}
