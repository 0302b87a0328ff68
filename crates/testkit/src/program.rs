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

/// Longer than the programs take to finish their work.
const PATIENCE: Duration = Duration::from_secs(35);
/// The timeout of a program that ends by itself.
const ERRAND_TIMEOUT: Duration = Duration::from_secs(60);
/// The number of lines of output that are kept for a failure.
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
    /// Describes a program that is not started yet. Its variables are added to the present
    /// environment if it `heeds_environment`, and are all that it sees otherwise. Its output is
    /// `shown` as it comes, or kept for a failure.
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

    /// Returns the same program on another port, not started yet.
    pub fn twin(&self, port: u16) -> Self {
        // The later of two variables with one name counts.
        let mut variables = self.variables.clone();
        variables.push(("PORT".to_owned(), port.to_string()));
        Self::new(self.name, self.command.clone(), variables, self.heeds_environment, self.shown)
    }

    /// Starts the program, unless it runs.
    ///
    /// # Errors
    /// Fails when the process cannot be started.
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

    /// Runs the program to its end.
    pub async fn run(mut self) -> Result<()> {
        self.start()?;
        let process = self.process.as_mut().context("it was started")?;
        let status =
            process.wait(ERRAND_TIMEOUT).await?.with_context(|| format!("{} does not end", self.name))?;
        self.read_to_the_end();
        ensure!(status.success(), "{}", self.obituary(&self.command[1..].join(" "), status));
        Ok(())
    }

    /// Returns the process id while the program runs.
    pub fn pid(&self) -> Option<i32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Asks the program to end, and waits. Returns how it ended, or `None` if it was not running.
    ///
    /// # Errors
    /// Fails when it can be neither stopped nor killed.
    pub async fn stop(&mut self) -> Result<Option<ExitStatus>> {
        match self.process.take() {
            Some(mut process) => process.stop().await.map(Some),
            None => Ok(None),
        }
    }

    /// Halts the program: its connections stay open, and it does nothing until it is thawed.
    ///
    /// # Errors
    /// Fails when it is not running.
    pub fn freeze(&self) -> Result<()> {
        self.process.as_ref().with_context(|| format!("{} is not running", self.name))?.freeze()
    }

    /// Resumes the program, as if no time had passed.
    ///
    /// # Errors
    /// Fails when it is not running.
    pub fn thaw(&self) -> Result<()> {
        self.process.as_ref().with_context(|| format!("{} is not running", self.name))?.thaw()
    }

    /// Kills the program by `kill -9`.
    ///
    /// # Errors
    /// Fails when it does not die.
    pub async fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await.map(drop),
            None => Ok(()),
        }
    }

    /// Requires that the program runs. Otherwise the error says how it ended.
    pub fn check_running(&mut self) -> Result<()> {
        let Some(process) = self.process.as_mut() else { bail!("{} is not running", self.name) };
        let Some(status) = process.status()? else { return Ok(()) };
        self.read_to_the_end();
        bail!("{}", self.obituary(self.name, status))
    }

    /// Describes how the program ended, with the tail of its output unless that was shown.
    fn obituary(&self, name: &str, status: ExitStatus) -> String {
        let words =
            if self.shown { String::new() } else { format!(". Its last output:\n{}", self.last_words()) };
        format!("{name} {}{}", describe(status), words.trim_end())
    }

    /// Waits for the rest of the output of a program that ended.
    fn read_to_the_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }

    /// Returns the tail of its output.
    pub fn last_words(&self) -> String {
        self.lines
            .lock()
            .map(|lines| lines.iter().map(|line| format!("  {line}\n")).collect())
            .unwrap_or_default()
    }
}
