//! Handlers and jobs await the use cases on any thread, so their futures are `Send`. This holds at
//! compile time: nothing here runs.
#![expect(dead_code, reason = "it only has to compile")]

use std::{sync::Arc, time::Duration};

use kernel::{
    Core,
    caller::{Authorized, RequestContext, allow},
    ids::{LogId, ProjectId},
    page::PageRequest,
};
use vault::{
    Appender, Decision, Filter, NewSeal, NewSeals, ProposalFilter, Reason, Vault, Witness,
    jobs::ExpireProposal, outbox,
};

fn sendable<T: Send>(_: T) {}

fn writes(
    vault: &Vault,
    appender: &Appender,
    by: &Authorized<allow::VaultWrite>,
    decides: &Authorized<allow::VaultDecide>,
    erases: &Authorized<allow::VaultErase>,
    (new, seals, reason): (&NewSeal, &NewSeals, &Reason),
) {
    sendable(appender.append(by, seals));
    sendable(appender.append_one(by, new));
    sendable(vault::decide(vault, decides, 0, Decision::Approved, reason));
    sendable(vault::erase(vault, erases, "subject"));
}

fn reads(vault: &Vault, by: &Authorized<allow::VaultRead>, filter: &Filter, page: PageRequest) {
    sendable(vault::list(vault, by, filter, page));
    sendable(vault::count(vault, by, filter));
    sendable(vault::get(vault, by, 0));
    sendable(vault::proposals(vault, by, ProposalFilter::default(), page));
    sendable(vault::proposal(vault, by, 0));
    sendable(vault::log(vault, by));
    sendable(vault::checkpoint(vault, LogId::META));
    sendable(vault::inclusion(vault, by, None, None));
    sendable(vault::consistency(vault, by, 1, None));
    sendable(vault::receipt(vault, by, 0));
    sendable(vault::tile(vault, LogId::META, 0, 0, 1));
    sendable(vault::bundle(vault, LogId::META, 0, 1));
    sendable(vault::witnessed(vault, by));
}

fn jobs(
    vault: &Vault,
    core: &Core,
    project: ProjectId,
    job: &ExpireProposal,
    witnesses: &[Arc<dyn Witness>],
    request: &RequestContext,
) {
    sendable(vault::expire(vault, job));
    sendable(outbox::drain(vault, project));
    sendable(vault::publish(vault));
    sendable(vault::cosign(vault, witnesses, Duration::ZERO));
    sendable(vault.check_rollback(witnesses, Duration::ZERO));
    sendable(vault::digest_all(core));
    sendable(vault::digest_project(core, project, request));
    sendable(vault::rewrap(vault, |_| ()));
}
