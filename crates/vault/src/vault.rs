//! The vault as its use cases receive it.

use std::{fmt, fmt::Write as _};

use kernel::{
    Core,
    crypto::{hex, sha256},
    error::Result,
    ids::LogId,
};
use tlog_tiles::Hash;
use url::Url;

use crate::{
    format::{
        cosignature::{self, WitnessKey},
        note::{CheckpointSigner, VaultKeyRing},
    },
    guard::Guard,
    keyed_lock::KeyedLock,
    personal::{KekRing, KeyWrap},
};

/// The log keys, the witnesses and the core that every use case of the vault needs. Cloning shares
/// them.
#[derive(Clone)]
pub struct Vault {
    /// Database, time, identifiers, and the ports by which others learn what was done.
    pub core: Core,
    pub(crate) signer: CheckpointSigner,
    pub(crate) key_wrap: KeyWrap,
    pub(crate) guard: Guard,
    pub(crate) locks: KeyedLock,
    /// The witnesses of the meta-log, with their URLs.
    pub(crate) witnesses: Vec<(WitnessKey, String)>,
    /// Host and port of the public URL, which are part of a log's name.
    authority: String,
    url: Url,
}

impl Vault {
    /// Creates the vault that is served at `public_url`, signs with `keys`, and wraps subjects'
    /// keys with `keks`.
    pub fn new(core: Core, keys: &VaultKeyRing, keks: &KekRing, public_url: &Url) -> Self {
        let port = public_url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Self {
            core,
            signer: CheckpointSigner::new(keys),
            key_wrap: KeyWrap::new(keks),
            guard: Guard::open(),
            locks: KeyedLock::default(),
            witnesses: Vec::new(),
            authority: format!("{}{port}", public_url.host_str().unwrap_or_default()),
            url: public_url.clone(),
        }
    }

    /// Names the witnesses in the policy of the meta-log, and signs nothing until
    /// [`check_rollback`](Self::check_rollback) has asked them.
    #[must_use]
    pub fn witnessed_by(self, witnesses: &[(WitnessKey, String)]) -> Self {
        Self { guard: Guard::closed(), witnesses: witnesses.to_vec(), ..self }
    }

    /// Returns the log's name in its checkpoints and verifier keys.
    pub fn origin(&self, log: LogId) -> String {
        format!("{}/v1/vault/logs/{log}", self.authority)
    }

    /// Returns the log's name in the meta-log: SHA-256 over its origin, in hexadecimal.
    pub fn blinded(&self, log: LogId) -> String {
        hex(&sha256(self.origin(log).as_bytes()))
    }

    /// Returns the log whose name is `origin`, if it is one of ours.
    pub fn log_called(&self, origin: &str) -> Option<LogId> {
        let (authority, log) = origin.split_once("/v1/vault/logs/")?;
        if authority == self.authority { log.parse().ok() } else { None }
    }

    /// Returns the keys that the log's checkpoints verify under (C2SP signed-note).
    pub fn verifiers(&self, log: LogId) -> Vec<String> {
        self.signer.verifiers(&self.origin(log))
    }

    /// Returns the log's policy (C2SP tlog-policy): the keys that its checkpoints verify under, and
    /// the witnesses of the meta-log.
    pub fn policy(&self, log: LogId) -> String {
        let base = self.url.as_str().trim_end_matches('/');
        let line = |key: &String| format!("log {key} {base}/v1/vault/logs/{log}\n");
        let mut policy: String = self.verifiers(log).iter().map(line).collect();
        if log != LogId::META || self.witnesses.is_empty() {
            return policy + "quorum none\n";
        }
        // Numbered: a name may be in one line alone, and two witnesses may have one name.
        let named: Vec<(String, _)> = (1..).map(|n| format!("w{n}")).zip(&self.witnesses).collect();
        policy.extend(named.iter().map(|(name, (key, url))| format!("witness {name} {key} {url}\n")));
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        let _ = write!(policy, "group witnesses any {}\nquorum witnesses\n", names.join(" "));
        policy
    }

    /// Returns true when this process may sign. It may not before the witnesses were asked, nor
    /// while one of them knows more than the database holds.
    pub fn signs(&self) -> bool {
        self.guard.pass().is_ok()
    }

    /// Requires that this process may sign.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind),
    /// [`Code::Unavailable`](kernel::Code::Unavailable): as [`Guard::pass`].
    pub(crate) fn require_signing(&self) -> Result<()> {
        self.guard.pass()
    }

    /// Returns the signed checkpoint of a head that is committed.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind),
    /// [`Code::Unavailable`](kernel::Code::Unavailable): as [`Guard::pass`].
    pub(crate) fn sign(&self, log: LogId, size: u64, root: Hash) -> Result<String> {
        self.guard.pass()?;
        self.signer.sign(&self.origin(log), size, root)
    }

    /// Returns [`Vault::sign`] with the lines of witnesses below it.
    pub(crate) fn sign_with(
        &self,
        log: LogId,
        size: u64,
        root: Hash,
        cosignatures: &[String],
    ) -> Result<String> {
        cosignature::append(&self.sign(log, size, root)?, cosignatures.iter().map(String::as_str))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.url)
    }
}
