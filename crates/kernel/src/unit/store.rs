//! The SQL by which a unit of work writes what it has collected.

use sqlx::{PgConnection, types::Json};

use crate::{audit::NewEvent, caller::RequestContext, queue::NewJob};

/// Inserts audit events and jobs, in one statement.
pub(super) async fn flush(
    tx: &mut PgConnection,
    request: &RequestContext,
    events: &[NewEvent],
    jobs: &[NewJob],
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH event AS ( \
             INSERT INTO audit_events (id, at, actor, action, subject, project_id, organization_id, user_id, \
                                       request_id, address, user_agent, before_digest, after_digest) \
             SELECT e.id, at, actor, action, subject, project_id, \
                    COALESCE(organization_id, \
                             (SELECT p.organization_id FROM projects p WHERE p.id = project_id)), \
                    user_id, $11, $12, $13, before_digest, after_digest \
             FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::uuid[], \
                         $7::uuid[], $8::uuid[], $9::bytea[], $10::bytea[]) \
                  AS e (id, at, actor, action, subject, project_id, organization_id, user_id, \
                        before_digest, after_digest) \
         ) \
         INSERT INTO jobs (queue, kind, max_attempts, timeout_ms, run_at, traceparent, payload) \
         SELECT * FROM unnest($14::text[], $15::text[], $16::smallint[], $17::integer[], $18::timestamptz[], \
                              $19::text[], $20::jsonb[])",
    )
    .bind(events.iter().map(|event| event.id).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.at).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.by.actor.to_string()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.action).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.by.project).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.by.organization).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.by.user).collect::<Vec<_>>())
    .bind(
        events.iter().map(|event| event.change.before.as_ref().map(<[u8; 32]>::as_slice)).collect::<Vec<_>>(),
    )
    .bind(
        events.iter().map(|event| event.change.after.as_ref().map(<[u8; 32]>::as_slice)).collect::<Vec<_>>(),
    )
    .bind(&request.id)
    .bind(&request.address)
    .bind(&request.user_agent)
    .bind(jobs.iter().map(|job| job.queue.as_str()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.kind).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.max_attempts).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.timeout_ms).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.run_at).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| job.traceparent.as_deref()).collect::<Vec<_>>())
    .bind(jobs.iter().map(|job| Json(&job.payload)).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
