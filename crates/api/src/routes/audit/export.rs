//! Exports of whole audit logs.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Extension, State},
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::audit::{Export, Filter};
use futures::{Stream, stream};
use kernel::{Code, Error, audit::Event, caller::allow, ids::OrganizationId};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use crate::{
    auth::InOrganization,
    edge::Meter,
    extract::Query,
    problem::Problem,
    route::{Describe, OperationDoc},
    state::AppState,
};

/// The exports of an organization that a member may begin in a minute.
const EXPORTS_PER_MINUTE: u32 = 10;
/// The time that a batch waits for the client to take it, so that a client that no longer reads
/// does not hold its place forever.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
const NDJSON: &str = "application/x-ndjson";

/// The lines of an export (200), as a download.
#[derive(Debug)]
pub struct Lines {
    organization: OrganizationId,
    body: Body,
}

impl IntoResponse for Lines {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"audit-{}.ndjson\"", self.organization);
        let headers = [(header::CONTENT_TYPE, NDJSON.to_owned()), (header::CONTENT_DISPOSITION, name)];
        (headers, self.body).into_response()
    }
}

impl Describe for Lines {
    fn describe(doc: &mut OperationDoc) {
        let event = ContentBuilder::new().schema(Some(doc.schema::<Event>())).build();
        doc.response(200, ResponseBuilder::new().description("One event a line").content(NDJSON, event));
        doc.answer_header("Content-Disposition", "The name of the download");
    }
}

/// Export audit events
///
/// Writes every event that `actor`, `action`, `subject`, `from` and `to` select, newest first, one
/// JSON object a line (NDJSON). It is read from the database a batch at a time, as fast as the
/// client takes it. An export that cannot be finished, or whose client takes nothing for a minute,
/// ends in a broken connection, never in a response that looks complete. The export is an event
/// itself. Requires an owner; 10 a minute for each organization.
#[utoipa::path(get, path = "/organizations/{organization}/audit-events/export", tag = "audit")]
pub async fn export_audit_events(
    State(state): State<AppState>,
    Extension(meter): Extension<Meter>,
    InOrganization(by): InOrganization<allow::AuditRead>,
    Query(filter): Query<Filter>,
) -> Result<Lines, Problem> {
    let place = state.exports.clone().try_acquire_owned().map_err(|full| {
        let detail = "As many audit logs are being exported as this process takes; try again shortly";
        Error::new(Code::Overloaded, detail).retry_after(Duration::from_secs(10)).because(full)
    })?;
    let quota = EXPORTS_PER_MINUTE.min(state.about.rate_limit);
    // Each member has a share of their own, so that a person who is not a member takes nothing from
    // it.
    let organization = by.organization;
    let share = format!("export:{organization}:{}", by.person.user);
    meter.take(&state, &share, quota).await?;
    let export = Export::begin(state.core.clone(), by, filter).await?;
    Ok(Lines { organization, body: Body::from_stream(lines(export, place)) })
}

/// Streams the export's lines. One batch waits for the client while it reads the one before. The
/// stream ends well only after the last batch.
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
        sender.send_timeout(lines.into(), SEND_TIMEOUT).await.map_err(Error::unavailable)?;
        if is_last {
            return Ok(());
        }
    }
}
