//! The public parts of a log, and proofs of every size.

use serde_json::{Value, json};
use tlog_tiles::{Hash, check_record, check_tree, record_hash};
use vault::format::tree;

use super::{app, fill, log, receipt, sealed, verifies};

fn hash(text: &str) -> Hash {
    Hash(kernel::crypto::decode_base64(text).unwrap().try_into().unwrap())
}

fn hashes(array: &Value) -> Vec<Hash> {
    array.as_array().unwrap().iter().map(|text| hash(text.as_str().unwrap())).collect()
}

#[tokio::test]
async fn the_whole_tree_follows_from_the_tiles() {
    let app = app().await;
    fill(&app, 600).await;
    let log = log(&app).await;
    let base = format!("/v1/vault/logs/{}", log["log"].as_str().unwrap());
    let mut leaves = Vec::new();
    for (n, partial) in [(0, ""), (1, ""), (2, ".p/88")] {
        let bundle = app.get(&format!("{base}/tile/entries/00{n}{partial}")).send().await.unwrap();
        assert_eq!(bundle.header("cache-control"), "public, max-age=31536000, immutable");
        let tile = app.get(&format!("{base}/tile/0/00{n}{partial}")).send().await.unwrap();
        let mut rest = bundle.body.as_slice();
        let mut hashed = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(u16::from_be_bytes(*length).into());
            hashed.push(record_hash(entry));
            rest = after;
        }
        assert_eq!(tile.body, hashed.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>());
        leaves.extend(hashed);
    }
    let mut tree = tree::Tree::default();
    for leaf in &leaves {
        tree.push(*leaf).unwrap();
    }
    assert_eq!(kernel::crypto::base64(&tree.root().unwrap().0), log["root"].as_str().unwrap());
    let above = app.get(&format!("{base}/tile/1/000.p/2")).send().await.unwrap();
    let roots = [tree.node((8, 0)).unwrap().0, tree.node((8, 1)).unwrap().0].concat();
    assert_eq!(above.body, roots);
    let checkpoint = app.get(&format!("{base}/checkpoint")).send().await.unwrap();
    assert_eq!(
        (checkpoint.text().as_str(), checkpoint.header("cache-control")),
        (log["checkpoint"].as_str().unwrap(), "public, max-age=2")
    );
    let policy = app.get(&format!("{base}/policy")).send().await.unwrap();
    assert!(
        policy.text().starts_with(&format!("log {} http", log["keys"][0].as_str().unwrap())),
        "{}",
        policy.text()
    );
}

#[tokio::test]
async fn tiles_that_are_not_there_are_not_found() {
    let app = app().await;
    fill(&app, 260).await;
    let log = log(&app).await;
    let base = format!("/v1/vault/logs/{}", log["log"].as_str().unwrap());
    for path in [
        "tile/0/001",
        "tile/0/001.p/5",
        "tile/0/002",
        "tile/1/000",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/entries/001",
        "tile/9/000",
        "tile/0/x000/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/999999999999",
        "tile/0/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/999",
        "tile/-1/000",
        "tile/7/x999/x999/x999/999.p/255",
        "tile/0/%00",
    ] {
        let reply = app.get(&format!("{base}/{path}")).send().await.unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}: {}", reply.text());
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
    for log in ["log_00000000000000000000000000000001", "prj_00000000000000000000000000000001", "log_x"] {
        assert_eq!(
            app.get(&format!("/v1/vault/logs/{log}/checkpoint")).send().await.unwrap().status,
            404,
            "{log}"
        );
    }
}

#[tokio::test]
async fn every_entry_is_proved_in_every_tree() {
    let app = app().await;
    fill(&app, 530).await;
    let prove = async |index: u64, size: u64| {
        app.get(&format!("/v1/vault/proof/inclusion?index={index}&size={size}"))
            .key(app.key())
            .send()
            .await
            .unwrap()
    };
    for (index, size) in
        [(0, 1), (0, 530), (255, 256), (255, 257), (256, 257), (300, 512), (511, 530), (529, 530)]
    {
        let proof: Value = prove(index, size).await.expect(200).unwrap();
        let leaf: Vec<u8> = (0..32)
            .map(|n| u8::from_str_radix(&proof["leaf_hash"].as_str().unwrap()[n * 2..n * 2 + 2], 16).unwrap())
            .collect();
        let root = hash(proof["root"].as_str().unwrap());
        check_record(&hashes(&proof["hashes"]), size, root, index, Hash(leaf.try_into().unwrap())).unwrap();
    }
    for (from, to) in [(1, 1), (1, 530), (255, 256), (256, 512), (257, 530), (529, 530), (530, 530)] {
        let path = format!("/v1/vault/proof/consistency?from={from}&to={to}");
        let proof: Value = app.get(&path).key(app.key()).send().await.unwrap().expect(200).unwrap();
        let (old, new) =
            (hash(proof["from_root"].as_str().unwrap()), hash(proof["to_root"].as_str().unwrap()));
        check_tree(&hashes(&proof["hashes"]), to, new, from, old).unwrap();
    }
    for (index, size) in
        [(530, 530), (0, 531), (0, 0), (5, 5), (u64::MAX, 530), (0, u64::MAX), (1 << 62, 1 << 63)]
    {
        assert_eq!(prove(index, size).await.status, 422, "{index} in {size}");
    }
    for query in
        ["from=0&to=5", "from=6&to=5", "from=1&to=531", "from=18446744073709551615", "from=-1", "to=0"]
    {
        let reply =
            app.get(&format!("/v1/vault/proof/consistency?{query}")).key(app.key()).send().await.unwrap();
        assert_eq!(reply.status, 422, "{query}");
    }
}

#[tokio::test]
async fn the_server_checks_a_receipt_and_names_the_first_flaw() {
    let app = app().await;
    fill(&app, 40).await;
    let good = receipt(&app, 17).await;
    assert_eq!(verifies(&app, &good).await, Ok(40));
    let verify = async |text: &str| -> Value {
        let reply = app.post("/v1/vault/verify").json(&json!({ "receipt": text })).send().await.unwrap();
        reply.expect(200).unwrap()
    };
    let right = verify(&good).await;
    assert_eq!(
        (&right["valid"], &right["flaw"], &right["index"], &right["size"]),
        (&json!(true), &Value::Null, &json!(17), &json!(40))
    );
    let (_, other) = app.another_project("Other").await.unwrap();
    app.post("/v1/vault/seals")
        .key(&other)
        .json(&super::seal(1))
        .send()
        .await
        .unwrap()
        .expect::<Value>(201)
        .unwrap();
    let foreign = app.get("/v1/vault/seals/0/receipt").key(&other).send().await.unwrap().text();
    assert_eq!(verify(&foreign).await["valid"], true);
    let checkpoint_of_other =
        format!("{}\n\n{}", good.split_once("\n\n").unwrap().0, foreign.split_once("\n\n").unwrap().1);
    let mut flipped = good.clone().into_bytes();
    // The letter is in the part of the entry that is the same each time: elsewhere the flipped one
    // might not be base64.
    flipped[37] ^= 1;
    for (text, flaw) in [
        (good.replace("index 17", "index 18"), "proof"),
        (good.replace("index 17", "index 40"), "index"),
        (good.replace("index 17", "index 017"), "malformed"),
        (good[..good.len() / 2].to_owned(), "malformed"),
        (good.replace("\n40\n", "\n41\n"), "signature"),
        (good.replace("127.0.0.1", "127.0.0.2"), "other_log"),
        (String::from_utf8(flipped).unwrap(), "proof"),
        (checkpoint_of_other, "index"),
        ("x".to_owned(), "malformed"),
    ] {
        let answer = verify(&text).await;
        assert_eq!((&answer["valid"], answer["flaw"].as_str()), (&json!(false), Some(flaw)), "{text}");
    }
    sealed(&app, &super::seal(1)).await;
    assert_eq!(verify(&good).await["valid"], true, "a receipt stays good while the log grows");
}
