//! Seals that other areas leave in the outbox.

use kernel::{Code, DbScope, caller::Caller};
use serde_json::{Value, json};
use vault::{
    MAX_PAYLOAD, Verdict,
    fsck::{self, Check},
    outbox::{self, OutboxSeal},
};

use crate::scene::Scene;

/// Every seal that is accepted is appended, up to the largest; a seal that could not be appended is
/// refused before it waits.
#[tokio::test]
async fn nothing_waits_that_cannot_be_sealed() {
    let scene = Scene::new().await;
    let put = async |kind: &str, verdict: Verdict, subject: Option<String>, payload: Value| {
        let by = Caller::system(DbScope::Project(scene.project()));
        let seal = OutboxSeal { kind, verdict, subject, payload: &payload };
        scene.core.write(by, async |unit| outbox::put(unit, scene.project(), seal).await).await
    };
    let text = |length: usize| json!("x".repeat(length - 2));
    let wide = "€".repeat(64);
    let deep = (0..33).fold(json!(1), |inner, _| json!([inner]));
    let sealed = Verdict::Seal;
    for (kind, verdict, subject, payload) in [
        ("", sealed, None, json!(1)),
        ("a\nb", sealed, None, json!(1)),
        (&"k".repeat(65), sealed, None, json!(1)),
        ("k", Verdict::Hold, None, json!(1)),
        ("k", sealed, Some("s\0".to_owned()), json!(1)),
        ("k", sealed, Some("s".repeat(129)), json!(1)),
        ("k", sealed, None, text(MAX_PAYLOAD + 1)),
        ("k", sealed, None, json!(u64::MAX)),
        ("k", sealed, None, deep),
    ] {
        let refused = put(kind, verdict, subject, payload).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal, "{kind:?} {verdict}");
    }
    put(&wide, Verdict::Void, Some(wide.repeat(2)), text(MAX_PAYLOAD)).await.unwrap();
    put("k", sealed, None, json!({"n": 1})).await.unwrap();
    let vault = scene.vault();
    outbox::drain(&vault, scene.project()).await.unwrap();
    let check = Check::default();
    let report = Box::pin(fsck::check(&vault, scene.project().into(), &check, |_, _| {})).await.unwrap();
    assert_eq!((report.size, report.is_clean()), (2, true), "{:?}", report.findings);
}
