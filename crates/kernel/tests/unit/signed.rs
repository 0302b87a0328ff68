//! A signed request is done once, and not at all unless its nonce is consumed.

use kernel::{
    Code, Unit,
    caller::{Caller, RequestContext},
};

use crate::scene::Scene;

#[tokio::test]
async fn a_unit_that_consumed_nothing_of_a_signed_request_cannot_commit() {
    let scene = Scene::new().await;
    let by = scene.asks(scene.signed());
    let mut unit = Unit::begin(&scene.core, &by).await.unwrap();
    unit.audit("thing.created", "thing 1", kernel::audit::Change::NONE);
    let refused = unit.commit().await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    assert_eq!(scene.count("audit_events").await, 0);

    let unsigned = scene.asks(RequestContext::default());
    Unit::begin(&scene.core, &unsigned).await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn of_a_request_that_comes_twice_one_is_done() {
    let scene = Scene::new().await;
    let by = scene.asks(scene.signed());
    let does = || {
        scene.core.write(&by, async |unit| {
            unit.audit("thing.created", "thing 1", kernel::audit::Change::NONE);
            Ok(())
        })
    };
    let (one, other) = tokio::join!(does(), does());
    let codes = [one, other].map(|done| done.err().map(|error| error.code()));
    assert!(codes.contains(&None) && codes.contains(&Some(Code::NonceReplayed)), "{codes:?}");
    assert_eq!((scene.count("audit_events").await, scene.count("signature_nonces").await), (1, 1));
}

#[tokio::test]
async fn a_further_transaction_of_the_same_request_consumes_nothing() {
    let scene = Scene::new().await;
    let by = scene.asks(scene.signed());
    scene.core.write(&by, async |_| Ok(())).await.unwrap();
    scene.core.write(Caller::from(&by).further(), async |_| Ok(())).await.unwrap();
    assert_eq!(scene.core.write(&by, async |_| Ok(())).await.unwrap_err().code(), Code::NonceReplayed);
}
