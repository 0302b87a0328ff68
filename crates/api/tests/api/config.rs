//! The error of a wrong value is one line: the variable, its value and what it wants. Secrets are
//! masked.

use api::Config;

use crate::harness::pairs;

const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://app:hunter2@db.internal/holdfast");

/// Returns the error of `value`, where everything else is right.
fn told(variable: &str, value: &str) -> String {
    let error = Config::from_pairs(pairs(&[&[DATABASE, (variable, value)]])).unwrap_err().to_string();
    assert!(error.starts_with(variable), "{error:?} does not begin with {variable}");
    assert!(!error.contains('\n'), "{error:?} has several lines");
    error
}

#[test]
fn what_is_missing_is_named() {
    let error = Config::from_pairs([]).unwrap_err().to_string();
    assert!(error.starts_with("DATABASE_URL is not set"), "{error}");
    let empty = Config::from_pairs(pairs(&[&[("DATABASE_URL", "")]])).unwrap_err().to_string();
    assert_eq!(empty, error, "an empty one counts as unset");
}

#[test]
fn what_is_wrong_is_quoted_and_what_is_wanted_said() {
    for (variable, value, wants) in [
        ("PORT", "eighty", "invalid digit"),
        ("PORT", "70000", "0..=65535"),
        ("ENVIRONMENT", "prod", "development, staging, production"),
        ("LOG_FORMAT", "xml", "text, json"),
        ("METRICS_ADDR", "9000", "socket address"),
        ("DATABASE_MAX_CONNECTIONS", "1", "2..=500"),
        ("RATE_LIMIT_PER_MINUTE", "-1", "0..=4294967295"),
        ("REQUIRE_PRIVATE_NETWORK", "maybe", "true, false"),
        ("PUBLIC_URL", "https://api.example.com/v1", "without a path"),
        ("CORS_ORIGINS", "https://app.example.com,app.example.com", "https://app.example.com"),
        ("REDIS_DBS", "cache=red", "cache"),
    ] {
        let error = told(variable, value);
        assert!(error.contains(wants), "{error:?} does not say {wants:?}");
        let held = value.split(',').next_back().unwrap();
        assert!(error.contains(held), "{error:?} does not quote {held:?}");
    }
}

#[test]
fn secrets_are_masked() {
    for (variable, value) in [
        ("DATABASE_URL", "mysql://app:hunter2@db/holdfast"),
        ("DATABASE_URL", "postgres://app:hunter2@/holdfast?sslmode=odd"),
        ("DATABASE_DIRECT_URL", "hunter2"),
        ("REDIS_URL", "http://:hunter2@cache:6379"),
        ("NATS_URL", "redis://:hunter2@queue"),
        ("QDRANT_URL", "grpc://:hunter2@vectors"),
        ("WEBHOOK_SIGNING_KEY", "whsk_hunter2"),
        ("VAULT_WITNESSES", "witness.example/w1+00000000+BAAA https://u:hunter2@witness.example"),
    ] {
        let error = told(variable, value);
        assert!(!error.contains("hunter2"), "{error}");
    }
    let config = Config::from_pairs(pairs(&[&[
        DATABASE,
        ("REDIS_URL", "redis://:hunter2@cache"),
        ("QDRANT_API_KEY", "hunter2"),
        ("SENTRY_DSN", "https://hunter2@sentry.example/1"),
    ]]));
    let shown = format!("{:?}", config.unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("AAECAwQ"), "{shown}");
}

#[test]
fn a_key_of_the_vault_and_a_witness_are_named_once() {
    let key = format!("vsk_{}", "A".repeat(43) + "=");
    let error = told("VAULT_SIGNING_KEY", &format!("{key},{key}"));
    assert!(error.contains("VAULT_SIGNING_KEY") && error.contains("distinct keys"), "{error}");
    assert!(!error.contains(&key), "{error}");
    let entry = "witness.example.org/w1+521c28dc+BCwFIulEF75H3dzUMAFEKk9FFpIaALFyq2oOnaSbQOEr \
        https://witness.example.org";
    let error = told("VAULT_WITNESSES", &format!("{entry},{entry}"));
    assert!(error.contains("number 2") && error.contains("a witness that is there before"), "{error}");
}

#[test]
fn variables_of_others_are_left_alone() {
    let config = Config::from_pairs(pairs(&[&[
        DATABASE,
        ("PATH", "/bin"),
        ("RAILWAY_SERVICE_ID", "x"),
        ("CORS_ORIGINS", ""),
    ]]))
    .unwrap();
    assert_eq!(config.port, 8080);
    assert!(config.cors_origins.is_empty());
}
