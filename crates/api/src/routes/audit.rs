//! `/v1/organizations/{organization}/audit-events` and `/v1/me/audit-events`: who did what.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Extension, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::audit::{self, Export, Filter};
use futures::{Stream, stream};
use kernel::{
    Code, Error,
    audit::Event,
    ids::OrganizationId,
    page::{Page, PageQuery},
};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::LoggedIn,
    edge::Meter,
    extract::{Path, Query},
    problem::Problem,
    state::AppState,
};

/// How often an organisation may be exported in a minute.
const EXPORTS_PER_MINUTE: u32 = 10;
/// How long a batch waits for the client to take it: one that reads no more does not hold its place for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// The routes of the audit log.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export)).routes(routes!(mine))
}

/// [`Filter`] and [`PageQuery`] in one query, which serde cannot put together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    actor: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u16>,
    cursor: Option<String>,
}

impl ListQuery {
    fn split(self) -> (Filter, PageQuery) {
        let Self { actor, action, subject, from, to, limit, cursor } = self;
        (Filter { actor, action, subject, from, to }, PageQuery { limit, cursor })
    }
}

/// The page, whose next one is sought by the same filter.
fn respond(path: &str, filter: Filter, limit: Option<u16>, page: Page<Event>) -> Response {
    let times = [("from", filter.from), ("to", filter.to)].map(|(name, at)| (name, at.map(|at| at.to_rfc3339())));
    let texts = [("actor", filter.actor), ("action", filter.action), ("subject", filter.subject)];
    let kept = texts.into_iter().chain(times).filter_map(|(name, value)| Some((name, value?)));
    crate::page::respond_to(path, kept, limit, page)
}

/// List audit events
///
/// What was done in the organisation and in its projects, newest first. Takes an owner.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/audit-events",
    tag = "audit",
    params(("organization" = OrganizationId, Path, description = "The organisation"), Filter, PageQuery),
    security(("access_token" = ["audit:read"])),
    responses((status = 200, description = "A page of events", body = Page<Event>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn list(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = query.split();
    let limit = page.limit;
    let page = audit::of_organization(&state.core, &person, organization, &filter, page.try_into()?).await?;
    Ok(respond(&format!("/v1/organizations/{organization}/audit-events"), filter, limit, page))
}

/// Export audit events
///
/// All that `actor`, `action`, `subject`, `from` and `to` name, newest first, one JSON object a line (NDJSON). It is read from the database a
/// batch at a time, as fast as the client takes it; an export that cannot be finished, or that the client takes nothing of for a minute,
/// ends in a broken connection, never in an answer that looks whole. That it was made is an event itself. Takes an owner; 10 a minute for each organisation.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/audit-events/export",
    tag = "audit",
    params(("organization" = OrganizationId, Path, description = "The organisation"), Filter),
    security(("access_token" = ["audit:read"])),
    responses((status = 200, description = "The events", body = Event, content_type = "application/x-ndjson")),
)]
async fn export(
    State(state): State<AppState>,
    Extension(meter): Extension<Meter>,
    LoggedIn(person): LoggedIn,
    Path(organization): Path<OrganizationId>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let place = state.exports.clone().try_acquire_owned().map_err(|full| {
        let detail = "As many audit logs are being exported as this process takes; try again shortly";
        Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(10)).because(full)
    })?;
    let quota = EXPORTS_PER_MINUTE.min(state.about.rate_limit);
    meter.take(&state, &format!("export:{organization}"), quota).await?;
    let export = Export::begin(state.core.clone(), person, organization, filter).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"audit-{organization}.ndjson\"")),
    ];
    Ok((headers, Body::from_stream(lines(export, place))).into_response())
}

/// The export's lines. One batch waits for the client while it reads the one before. The stream ends well only after the last batch.
fn lines(mut export: Export, place: OwnedSemaphorePermit) -> impl Stream<Item = Result<Bytes, Error>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = send_all(&mut export, &sender).await {
            tracing::warn!(%error, "an export of an audit log broke off");
        }
    });
    stream::try_unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async move {
        match receiver.recv().await {
            Some(lines) if lines.is_empty() => Ok(None),
            Some(lines) => Ok(Some((lines, receiver))),
            None => Err(Error::unavailable("the export broke off")),
        }
    })
}

/// Sends batch after batch, the last one empty.
async fn send_all(export: &mut Export, sender: &mpsc::Sender<Bytes>) -> Result<(), Error> {
    loop {
        let mut lines = Vec::new();
        for event in export.next().await? {
            serde_json::to_writer(&mut lines, &event).map_err(Error::internal)?;
            lines.push(b'\n');
        }
        let is_last = lines.is_empty();
        sender.send_timeout(lines.into(), PATIENCE).await.map_err(Error::unavailable)?;
        if is_last {
            return Ok(());
        }
    }
}

/// List my audit events
///
/// What concerns the caller's own account: logins, changes, and what others tried. Newest first.
#[utoipa::path(
    get,
    path = "/me/audit-events",
    tag = "audit",
    params(Filter, PageQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A page of events", body = Page<Event>, headers(("Link" = String, description = "The next page, RFC 8288")))),
)]
async fn mine(
    State(state): State<AppState>,
    LoggedIn(person): LoggedIn,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let (filter, page) = query.split();
    let limit = page.limit;
    let page = audit::of_person(&state.core, &person, &filter, page.try_into()?).await?;
    Ok(respond("/v1/me/audit-events", filter, limit, page))
}
