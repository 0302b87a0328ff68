//! The place where a service lives: its folder, its user and its log.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::kind::Kind;
use crate::{
    process::{Process, Recipe},
    user::{self, Unprivileged},
};

/// The time that a server has to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The place where a service keeps its data, and the user that it runs as.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) scratch: bool,
    pub(crate) user: Option<Unprivileged>,
}

impl Site {
    pub(crate) fn new(kind: Kind, data: Option<&Path>, user: Option<Unprivileged>) -> Result<Self> {
        let name = kind.name().to_lowercase();
        let folder = match data {
            Some(data) => {
                fs::create_dir_all(data)
                    .with_context(|| format!("cannot make the folder {}", data.display()))?;
                data.canonicalize()?.join(name)
            }
            None => tempfile::Builder::new().prefix(&format!("holdfast-{name}-")).tempdir()?.keep(),
        };
        user::own_folder(&folder, user)?;
        Ok(Self { folder, scratch: data.is_none(), user })
    }

    /// Starts a process of this site, with its output in the log.
    pub(crate) fn run(&self, command: Vec<String>, stop: Signal) -> Result<Process> {
        let log = File::options().create(true).append(true).open(self.log())?;
        Process::start(Recipe {
            command,
            environment: vec![
                ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned()),
                ("HOME".to_owned(), self.folder.display().to_string()),
                ("LC_ALL".to_owned(), "C".to_owned()),
                ("TZ".to_owned(), "UTC".to_owned()),
            ],
            inherit: false,
            user: self.user,
            output: log.into(),
            stop,
            patience: STOP_TIMEOUT,
            scratch: self.scratch.then(|| self.folder.clone()),
        })
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Returns the last lines that the server wrote.
    pub(crate) fn tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(6).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n  ")
    }
}
