//! `api` and `worker` as processes of their own, whose output is shown or kept.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{
    print,
    process::{Process, Recipe, describe},
};

/// Longer than the programs take to finish what they were doing.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long one may run that is to end by itself.
const ERRAND_TIMEOUT: Duration = Duration::from_secs(60);
/// How many lines of output are kept, to be shown when the program fails.
const KEPT_LINES: usize = 40;

/// One of the two programs, as a process.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    command: Vec<String>,
    variables: Vec<(String, String)>,
    heeds_environment: bool,
    shown: bool,
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
    process: Option<Process>,
}

impl Program {
    /// Not started yet. Its variables come on top of our own where it `heeds_environment`, or are
    /// all it sees; its output is `shown` as it comes, or kept for when it fails.
    pub fn new(
        name: &'static str,
        command: Vec<String>,
        variables: Vec<(String, String)>,
        heeds_environment: bool,
        shown: bool,
    ) -> Self {
        let (lines, reader, process) = (Arc::default(), None, None);
        Self { name, command, variables, heeds_environment, shown, lines, reader, process }
    }

    /// The same program on another port, not started yet.
    pub fn twin(&self, port: u16) -> Self {
        // Of two of a name, the later one counts.
        let mut variables = self.variables.clone();
        variables.push(("PORT".to_owned(), port.to_string()));
        Self::new(self.name, self.command.clone(), variables, self.heeds_environment, self.shown)
    }

    /// Starts it, unless it runs.
    ///
    /// # Errors
    /// When the machine does not let it.
    pub fn start(&mut self) -> Result<()> {
        if self.process.as_mut().is_some_and(|process| matches!(process.status(), Ok(None))) {
            return Ok(());
        }
        let mut process = Process::start(Recipe {
            command: self.command.clone(),
            environment: self.variables.clone(),
            inherit: self.heeds_environment,
            user: None,
            output: Stdio::piped(),
            stop: Signal::SIGTERM,
            patience: PATIENCE,
            scratch: None,
        })?;
        if let Some(output) = process.take_output() {
            let (name, shown, lines) = (self.name, self.shown, Arc::clone(&self.lines));
            self.reader = Some(thread::spawn(move || {
                for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if shown {
                        print::program(name, &line);
                    }
                    if let Ok(mut lines) = lines.lock() {
                        lines.push_back(line);
                        let surplus = lines.len().saturating_sub(KEPT_LINES);
                        lines.drain(..surplus);
                    }
                }
            }));
        }
        self.process = Some(process);
        Ok(())
    }

    /// Runs it to its end, which must be a success.
    pub async fn run(mut self) -> Result<()> {
        self.start()?;
        let process = self.process.as_mut().context("it was started")?;
        let status =
            process.wait(ERRAND_TIMEOUT).await?.with_context(|| format!("{} does not end", self.name))?;
        self.read_to_the_end();
        ensure!(status.success(), "{}", self.obituary(&self.command[1..].join(" "), status));
        Ok(())
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Asks it to end, and waits. How it did; `None` when it was not running.
    ///
    /// # Errors
    /// When it can be neither stopped nor killed.
    pub async fn stop(&mut self) -> Result<Option<ExitStatus>> {
        match self.process.take() {
            Some(mut process) => process.stop().await.map(Some),
            None => Ok(None),
        }
    }

    /// Halts it: its connections stay open, and it does nothing until it is thawed.
    ///
    /// # Errors
    /// When it is not running.
    pub fn freeze(&self) -> Result<()> {
        self.process.as_ref().with_context(|| format!("{} is not running", self.name))?.freeze()
    }

    /// Lets it go on, as if no time had passed.
    ///
    /// # Errors
    /// When it is not running.
    pub fn thaw(&self) -> Result<()> {
        self.process.as_ref().with_context(|| format!("{} is not running", self.name))?.thaw()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it does not die.
    pub async fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await.map(drop),
            None => Ok(()),
        }
    }

    /// That it runs; else how it ended.
    pub fn check_running(&mut self) -> Result<()> {
        let Some(process) = self.process.as_mut() else { bail!("{} is not running", self.name) };
        let Some(status) = process.status()? else { return Ok(()) };
        self.read_to_the_end();
        bail!("{}", self.obituary(self.name, status))
    }

    /// How it ended, and its last words unless they were seen already.
    fn obituary(&self, name: &str, status: ExitStatus) -> String {
        let words =
            if self.shown { String::new() } else { format!(". Its last words:\n{}", self.last_words()) };
        format!("{name} {}{}", describe(status), words.trim_end())
    }

    /// The last words of a program that ended may still be on their way.
    fn read_to_the_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }

    /// The end of its output.
    pub fn last_words(&self) -> String {
        self.lines
            .lock()
            .map(|lines| lines.iter().map(|line| format!("  {line}\n")).collect())
            .unwrap_or_default()
    }
}
