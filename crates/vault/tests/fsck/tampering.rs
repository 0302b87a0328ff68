//! Each way to change one thing in the database.

use crate::scene::{Scene, set, sorts};

#[tokio::test]
async fn each_tampering_is_named() {
    let scene = Scene::full().await;
    scene.break_in().await;
    let changed = "UPDATE vault_entries SET entry = convert_to( \
                       replace(convert_from(entry, 'UTF8'), '\"n\":650', '\"n\":651'), 'UTF8') \
                   WHERE project_id = OURS AND index = 650";
    let of_the_tree = ["checkpoint_root", "tile_hashes", "tile_root", "head_edge"];
    let with_tree = |names: &[&'static str]| [names, &of_the_tree].concat();
    let cases: Vec<(&str, Vec<&str>, &str)> = vec![
        (changed, with_tree(&["leaf_hash"]), "entry 650 does not match its leaf hash"),
        (
            "UPDATE vault_entries SET entry = set_byte(entry, 0, 32) WHERE project_id = OURS AND index = 650",
            with_tree(&["leaf_hash", "entry_unreadable", "head_verdicts"]),
            "entry 650",
        ),
        (
            "UPDATE vault_entries SET entry = entry || '\\x20' WHERE project_id = OURS AND index = 650",
            with_tree(&["leaf_hash", "entry_unreadable", "head_verdicts"]),
            "entry 650",
        ),
        (
            "UPDATE vault_entries SET leaf_hash = sha256('x') WHERE project_id = OURS AND index = 650",
            vec!["leaf_hash"],
            "entry 650",
        ),
        (
            "DELETE FROM vault_entries WHERE project_id = OURS AND index = 650",
            vec!["entries_missing"],
            "1 entries are missing from index 650 on",
        ),
        (
            "DELETE FROM vault_entries WHERE project_id = OURS AND index >= 1203",
            vec!["entries_missing", "personal_surplus", "proposal_surplus", "tag_surplus"],
            "97 entries are missing from index 1203 on",
        ),
        (
            "UPDATE vault_entries SET index = 99999 WHERE project_id = OURS AND index = 20; \
             UPDATE vault_entries SET index = 20 WHERE project_id = OURS AND index = 21; \
             UPDATE vault_entries SET index = 21 WHERE project_id = OURS AND index = 99999",
            with_tree(&["entry_moved"]),
            "entry 20 was moved: it says that it is entry 21",
        ),
        (
            "UPDATE vault_entries SET at = at + interval '1 hour' WHERE project_id = OURS AND index = 20",
            vec!["column", "time_went_back", "checkpoint_missing"],
            "the checkpoint of size 20 is missing",
        ),
        (
            "ALTER TABLE vault_entries DROP CONSTRAINT vault_entries_index; \
             INSERT INTO vault_entries SELECT * FROM vault_entries WHERE project_id = OURS AND index = 20",
            vec!["entry_twice"],
            "entry 20 is there twice",
        ),
        (
            "UPDATE vault_tiles SET hashes = set_byte(hashes, 32, get_byte(hashes, 32) # 1) \
             WHERE project_id = OURS AND n = 3",
            vec!["tile_hashes"],
            "tile 0/3 is not that of the entries: its hash 1 is another",
        ),
        (
            "UPDATE vault_tiles SET root = sha256('x') WHERE project_id = OURS AND n = 3",
            vec!["tile_root"],
            "tile 0/3",
        ),
        (
            "DELETE FROM vault_tiles WHERE project_id = OURS AND n = 3",
            vec!["tile_missing"],
            "tile 0/3 is missing",
        ),
        (
            "INSERT INTO vault_tiles SELECT project_id, level, 5, root, hashes FROM vault_tiles \
             WHERE project_id = OURS AND n = 3",
            vec!["beyond"],
            "vault_tiles of level 0 has rows from 5 on",
        ),
        (
            "INSERT INTO vault_tiles SELECT project_id, 1, 0, root, hashes FROM vault_tiles \
             WHERE project_id = OURS AND n = 3",
            vec!["beyond"],
            "vault_tiles of level 1 has rows from 0 on",
        ),
        (
            "UPDATE vault_checkpoints SET root = sha256('x') WHERE project_id = OURS AND size = 700",
            vec!["checkpoint_root"],
            "the checkpoint of size 700",
        ),
        (
            "UPDATE vault_checkpoints SET at = at - interval '1 hour' WHERE project_id = OURS AND size = 700",
            vec!["checkpoint_time"],
            "size 700",
        ),
        (
            "DELETE FROM vault_checkpoints WHERE project_id = OURS AND size = 700",
            vec!["checkpoint_missing"],
            "the checkpoint of size 700 is missing",
        ),
        (
            "DELETE FROM vault_checkpoints WHERE project_id = OURS AND size = 1300",
            vec!["checkpoint_missing"],
            "the checkpoint of size 1300 is missing",
        ),
        (
            "INSERT INTO vault_checkpoints SELECT project_id, 1301, root, at FROM vault_checkpoints \
             WHERE project_id = OURS AND size = 1300",
            vec!["beyond"],
            "vault_checkpoints has rows from 1301 on",
        ),
        (
            "INSERT INTO vault_checkpoints SELECT project_id, 650, root, at FROM vault_checkpoints \
             WHERE project_id = OURS AND size = 700",
            vec!["checkpoint_root"],
            "size 650",
        ),
        (
            "UPDATE vault_logs SET edge = set_byte(edge, 0, get_byte(edge, 0) # 1) WHERE project_id = OURS",
            vec!["head_edge"],
            "edge at size 1300",
        ),
        (
            "UPDATE vault_logs SET at = at + interval '1 hour' WHERE project_id = OURS",
            vec!["head_time"],
            "another time",
        ),
        (
            "UPDATE vault_logs SET verdicts = jsonb_set(verdicts, '{DENY}', '1') WHERE project_id = OURS",
            vec!["head_verdicts"],
            "\"DENY\":13",
        ),
        (
            "UPDATE vault_logs SET size = 1200, \
                 edge = repeat('x', 32 * bit_count(1200::bit(64))::int)::bytea WHERE project_id = OURS",
            vec!["beyond", "head_edge", "head_time", "head_verdicts"],
            "vault_entries has rows from 1200 on",
        ),
        (
            "UPDATE vault_logs SET size = 1::bigint << 39, edge = repeat('x', 32)::bytea \
             WHERE project_id = OURS",
            vec!["entries_missing"],
            "entries are missing from index 1300 on",
        ),
        (
            "DELETE FROM vault_logs WHERE project_id = OURS",
            vec!["beyond", "head_missing"],
            "the log has rows and no head",
        ),
        (
            "UPDATE vault_entries SET kind = 'x' WHERE project_id = OURS AND index = 20",
            vec!["column"],
            "the column `kind` of entry 20",
        ),
        (
            "UPDATE vault_entries SET verdict = 'ALLOW' WHERE project_id = OURS AND index = 20",
            vec!["column"],
            "`verdict` of entry 20",
        ),
        (
            "UPDATE vault_entries SET actor = 'usr_1' WHERE project_id = OURS AND index = 20",
            vec!["column"],
            "`actor` of entry 20",
        ),
        (
            "UPDATE vault_entries SET session_id = 'x' WHERE project_id = OURS AND index = 20",
            vec!["column"],
            "`session_id` of entry 20",
        ),
        (
            "UPDATE vault_entries SET subject = NULL WHERE project_id = OURS AND index = 710",
            vec!["column"],
            "`subject` of entry 710",
        ),
        (
            "DELETE FROM vault_tags WHERE project_id = OURS AND index = 108 AND tag = 'eu'",
            vec!["tag_missing"],
            "entry 108 is not found by its tag `eu`",
        ),
        (
            "INSERT INTO vault_tags VALUES (OURS, 'us', 108)",
            vec!["tag_surplus"],
            "entry 108 is found by the tag `us`",
        ),
        (
            "UPDATE vault_tags SET tag = 'us' WHERE project_id = OURS AND index = 108 AND tag = 'eu'",
            vec!["tag_missing", "tag_surplus"],
            "entry 108",
        ),
        (
            "INSERT INTO vault_tags VALUES (OURS, 'eu', 4000)",
            vec!["beyond"],
            "vault_tags has rows from 4000 on",
        ),
        (
            "DELETE FROM vault_proposals WHERE project_id = OURS AND index = 207",
            vec!["proposal_missing"],
            "entry 207 is a proposal",
        ),
        (
            "DELETE FROM vault_proposals WHERE project_id = OURS AND index = 7",
            vec!["proposal_missing", "proposal_decision"],
            "entry 7 is a proposal",
        ),
        (
            "UPDATE vault_proposals SET expires_at = expires_at + interval '1 day' \
             WHERE project_id = OURS AND index = 207",
            vec!["proposal_expiry"],
            "the proposal 207 ends at another time on the list than its entry says",
        ),
        (
            "INSERT INTO vault_proposals VALUES (OURS, 20, now())",
            vec!["proposal_surplus"],
            "entry 20 is on the list of proposals",
        ),
        (
            "UPDATE vault_proposals SET decided_by = NULL, decision = NULL \
             WHERE project_id = OURS AND index = 7",
            vec!["proposal_decision"],
            "the proposal 7 was decided by entry 1200",
        ),
        (
            "UPDATE vault_proposals SET decision = 'approved' WHERE project_id = OURS AND index = 107",
            vec!["proposal_decision"],
            "the proposal 107 is approved by entry 1201 on the list",
        ),
        (
            "UPDATE vault_proposals SET decision = 'approved', decided_by = 1200 \
             WHERE project_id = OURS AND index = 207",
            vec!["proposal_decision"],
            "the proposal 207 is approved by entry 1200 on the list",
        ),
        (
            "UPDATE vault_proposals SET decision = 'approved', decided_by = 4000 \
             WHERE project_id = OURS AND index = 207",
            vec!["proposal_decision"],
            "the proposal 207",
        ),
        (
            "DELETE FROM vault_payloads WHERE project_id = OURS AND index = 710",
            vec!["personal_missing"],
            "the personal data of entry 710 is gone",
        ),
        (
            "DELETE FROM vault_subject_keys WHERE project_id = OURS",
            vec!["personal_unreadable"],
            "the personal data of entry 510",
        ),
        (
            "UPDATE vault_payloads SET ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1) \
             WHERE project_id = OURS AND index = 710",
            vec!["personal_unreadable"],
            "entry 710",
        ),
        (
            "UPDATE vault_payloads SET subject = 'other' WHERE project_id = OURS AND index = 710",
            vec!["personal_subject", "personal_unreadable"],
            "stored under another subject",
        ),
        ("INSERT INTO vault_payloads VALUES (OURS, 20, 'kept', 'x')", vec!["personal_surplus"], "entry 20"),
        (
            "INSERT INTO vault_cosignatures VALUES (OURS, 1301, 'w', '— w AAAA', now())",
            vec!["beyond"],
            "vault_cosignatures has rows from 1301 on",
        ),
        (
            "INSERT INTO vault_cosignatures VALUES (OURS, 1300, 'w', 'x', now())",
            vec!["cosignature"],
            "the cosignature of w on size 1300",
        ),
    ];
    for (sql, wanted, sentence) in cases {
        scene.sql(sql).await;
        let report = scene.check().await;
        assert_eq!(sorts(&report), set(&wanted), "{sql}: {:#?}", report.findings);
        let told = report.findings.iter().any(|finding| finding.to_string().contains(sentence));
        assert!(told, "{sql}: nothing says `{sentence}`: {:#?}", report.findings);
        scene.undo().await;
    }
    assert!(scene.check().await.is_clean());
}

#[tokio::test]
async fn one_damage_does_not_hide_another() {
    let scene = Scene::full().await;
    scene.break_in().await;
    scene.sql("UPDATE vault_entries SET kind = 'x' WHERE project_id = OURS AND kind = 'test.case'").await;
    scene.sql("DELETE FROM vault_tiles WHERE project_id = OURS AND n = 4").await;
    let report = scene.check().await;
    assert_eq!((sorts(&report), report.count), (set(&["column", "tile_missing"]), 1_298));
    assert_eq!(report.findings.len(), 21);
    assert!(report.summary().unwrap().ends_with("and 1297 findings more"), "{:?}", report.summary());
}
