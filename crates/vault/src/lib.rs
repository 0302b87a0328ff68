//! The vault: an append-only record of decisions, in Merkle trees that a stranger can check (RFC 6962; C2SP tlog-tiles, tlog-checkpoint, tlog-proof).
//!
//! Each project has one log. A seal becomes an entry, canonical JSON whose bytes are hashed, stored and served as they are; its answer carries a signed
//! checkpoint and the proof that the entry is in the tree that the checkpoint is of. The meta-log has the heads of all logs as its entries, and
//! is what witnesses watch.
//!
//! ```text
//! seal ─check─▶ Draft ─queue─▶ batch: lock the head ▸ index, time, leaf ▸ entries, tiles, checkpoint, head ▸ commit ▸ sign ─▶ receipt
//! ```

mod append;
mod audit;
mod audit_store;
mod cosign;
mod entry;
mod erase;
mod guard;
mod head;
mod ledger;
mod list;
mod new_seals;
mod proposals;
mod prove;
mod publish;
mod publish_store;
mod read_store;
mod rewrap;
mod store;
mod turn;
mod verify;
mod witness;
mod witnessed;

pub mod cosignature;
pub mod fsck;
pub mod jobs;
pub mod json;
pub mod note;
pub mod outbox;
pub mod personal;
pub mod receipt;
pub mod tile_path;
pub mod tree;

use std::fmt;

pub use tlog_tiles::{Hash, RecordProof};

use url::Url;

pub use append::{Appended, Appender};
pub use audit::{digest_all, digest_project};
pub use cosign::{cosign, uncosigned_seconds};
pub use entry::{MAX_ENTRY, MAX_PAYLOAD, NewSeal, Tag, Verdict};
pub use erase::erase;
pub use guard::Guard;
pub use head::{Head, Log, checkpoint, log};
pub use ledger::Placed;
pub use list::{Counts, Filter, Seal, SealInFull, Tally, count, get, list};
pub use new_seals::{MAX_SEALS, NewSeals};
pub use proposals::{Decision, Proposal, ProposalFilter, Reason, decide, expire, proposal, proposals};
pub use prove::{Consistency, Inclusion, bundle, consistency, inclusion, receipt as receipt_of, tile};
pub use publish::{Published, publish};
pub use rewrap::{Rewrapped, rewrap};
pub use verify::{Verification, verify};
pub use witness::{Witness, WitnessRefused};
pub use witnessed::{Witnessed, witnessed};

use self::{cosignature::WitnessKey, note::VaultKeys, personal::Keks, turn::Turns};
use kernel::{
    Core,
    crypto::{hex, sha256},
    error::Result,
    ids::LogId,
};

/// What the vault's use cases are handed. Cloning shares it.
#[derive(Clone)]
pub struct Vault {
    /// Database, time, identifiers, wake-ups.
    pub core: Core,
    keys: VaultKeys,
    keks: Keks,
    /// Host and port of the public URL: logs are named by where they are found.
    authority: String,
    url: Url,
    guard: Guard,
    turns: Turns,
    /// Who watches the meta-log, and where they are asked.
    witnesses: Vec<(WitnessKey, String)>,
}

impl Vault {
    /// The vault that is found at `public_url`, signs with `keys` and wraps subjects' keys with `keks`.
    pub fn new(core: Core, keys: VaultKeys, keks: Keks, public_url: &Url) -> Self {
        let port = public_url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let authority = format!("{}{port}", public_url.host_str().unwrap_or_default());
        let (url, guard, turns) = (public_url.clone(), Guard::open(), Turns::default());
        Self { core, keys, keks, authority, url, guard, turns, witnesses: Vec::new() }
    }

    /// Signs nothing until [`check_rollback`](Self::check_rollback) has asked the witnesses, which the policy of the meta-log names.
    #[must_use]
    pub fn witnessed_by(self, witnesses: &[(WitnessKey, String)]) -> Self {
        Self { guard: Guard::closed(), witnesses: witnesses.to_vec(), ..self }
    }

    /// What the log is called in its checkpoints and verifier keys.
    pub fn origin(&self, log: LogId) -> String {
        format!("{}/v1/vault/logs/{log}", self.authority)
    }

    /// What the log is called in the meta-log: SHA-256 over its origin, in hexadecimal.
    pub fn blinded(&self, log: LogId) -> String {
        hex(&sha256(self.origin(log).as_bytes()))
    }

    /// Which of our logs is called `origin`.
    pub fn log_called(&self, origin: &str) -> Option<LogId> {
        let (authority, log) = origin.split_once("/v1/vault/logs/")?;
        if authority == self.authority { log.parse().ok() } else { None }
    }

    /// The keys that the log's checkpoints verify under (C2SP signed-note).
    pub fn verifiers(&self, log: LogId) -> Vec<String> {
        self.keys.verifiers(&self.origin(log))
    }

    /// The log's policy (C2SP tlog-policy): under which keys its checkpoints are to be checked, and who watches the meta-log.
    pub fn policy(&self, log: LogId) -> String {
        let base = self.url.as_str().trim_end_matches('/');
        let line = |key: &String| format!("log {key} {base}/v1/vault/logs/{log}\n");
        let mut policy: String = self.verifiers(log).iter().map(line).collect();
        if log == LogId::META && !self.witnesses.is_empty() {
            // Numbered: a name is for one line alone, be it a witness' or a group's, and two witnesses may call themselves the same.
            let named: Vec<(String, _)> = (1..).map(|n| format!("w{n}")).zip(&self.witnesses).collect();
            policy.extend(named.iter().map(|(name, (key, url))| format!("witness {name} {key} {url}\n")));
            let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
            policy.push_str(&format!("group witnesses any {}\nquorum witnesses\n", names.join(" ")));
        } else {
            policy.push_str("quorum none\n");
        }
        policy
    }

    /// Whether anything may be signed; it may not while a witness knows more than the database has, and until the witnesses were asked.
    pub fn signs(&self) -> bool {
        self.guard.pass().is_ok()
    }

    /// The signed checkpoint of a head that is committed.
    ///
    /// # Errors
    /// Those of the [`Guard`].
    fn sign(&self, log: LogId, size: u64, root: Hash) -> Result<String> {
        self.guard.pass()?;
        self.keys.sign(&self.origin(log), size, root)
    }

    /// [`sign`](Self::sign), and what witnesses signed below it.
    fn sign_with(&self, log: LogId, size: u64, root: Hash, cosignatures: &[String]) -> Result<String> {
        cosignature::append(&self.sign(log, size, root)?, cosignatures.iter().map(String::as_str))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.url)
    }
}
