//! The statements of a batch: their number, and that they go together.

use kernel::Code;
use serde_json::{Value, json};
use vault::{self, Decision, Reason};

use crate::scene::Scene;

/// Makes each statement that inserts into one of the tables leave a row in `statements`.
const COUNTED: &str = "
    CREATE TABLE statements (name text);
    CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN INSERT INTO public.statements VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
    DO $$ DECLARE t text; BEGIN
        FOREACH t IN ARRAY ARRAY['vault_entries', 'vault_tags', 'vault_tiles', 'vault_subject_keys',
                                 'vault_payloads', 'vault_proposals', 'jobs'] LOOP
            EXECUTE format('CREATE TRIGGER counted AFTER INSERT ON %I
                            FOR EACH STATEMENT EXECUTE FUNCTION counted()', t);
        END LOOP;
    END $$";

/// Returns a proposal with an end, a subject and a tag of its own.
fn hold(n: u32) -> Value {
    json!({
        "kind": "k", "verdict": "HOLD", "payload": n, "expires_in_seconds": 60 + n,
        "subject": format!("s{n}"), "personal": n, "tags": [format!("t{n}")],
    })
}

#[tokio::test]
async fn a_thousand_seals_take_the_statements_of_one() {
    let scene = Scene::new().await;
    let vault = scene.vault();
    sqlx::raw_sql(COUNTED).execute(&scene.pool).await.unwrap();
    scene.append(&vault, (0..1_000).map(hold)).await;
    let sql = "SELECT name, count(*) FROM statements GROUP BY name ORDER BY name";
    let counts: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&scene.pool).await.unwrap();
    let names = [
        "jobs",
        "vault_entries",
        "vault_payloads",
        "vault_proposals",
        "vault_subject_keys",
        "vault_tags",
        "vault_tiles",
    ];
    assert_eq!(counts, names.map(|name| (name.to_owned(), 1)));

    // And each proposal has its own job, at its own end.
    let sql = "SELECT count(DISTINCT p.expires_at) FROM vault_proposals p \
               JOIN jobs j ON j.kind = 'vault.expire_proposal' \
                AND (j.payload->>'proposal')::bigint = p.index AND j.run_at = p.expires_at";
    let matched: i64 = sqlx::query_scalar(sql).fetch_one(&scene.pool).await.unwrap();
    assert_eq!(matched, 1_000);
}

/// A decision is sealed together with the settlement of its proposal, or not at all.
#[tokio::test]
async fn a_decision_that_settles_nothing_is_not_sealed() {
    let scene = Scene::new().await;
    let vault = scene.vault();
    scene.append(&vault, [hold(0)]).await;
    let nothing = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql \
                       AS $$ BEGIN RETURN NULL; END $$; \
                   CREATE TRIGGER nothing BEFORE UPDATE ON vault_proposals \
                       FOR EACH ROW EXECUTE FUNCTION nothing()";
    sqlx::raw_sql(nothing).execute(&scene.pool).await.unwrap();
    let by = scene.decides(scene.core.ids.next());
    let reason = Reason { reason: "seen".to_owned() };
    let refused = vault::decide(&vault, &by, 0, Decision::Approved, &reason).await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    assert_eq!(vault::log(&vault, &scene.allowed()).await.unwrap().size, 1);
}
