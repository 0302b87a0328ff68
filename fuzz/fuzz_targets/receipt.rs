//! Receipts: what is read is written as it was, and none verifies that nobody signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::format::receipt::Receipt;

const ORIGIN: &str = "api.example.com/v1/vault/logs/log_1";
const KEY: &str = "api.example.com/v1/vault/logs/log_1+00000000+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::parse(text) {
        assert_eq!(receipt.to_text(), text);
        assert!(receipt.verify(ORIGIN, &[KEY.to_owned()]).is_err());
    }
});
