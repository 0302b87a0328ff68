//! Signed notes and cosignatures: no text panics, and none is signed by a key that never signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::format::cosignature::{WitnessKey, append, body, lines};

const KEY: &str = "witness.example/w1+a5bbbd44+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<WitnessKey>() {
        assert_eq!(key.to_string().parse::<WitnessKey>().as_ref(), Ok(&key));
    }
    let Some(signed) = body(text) else { return };
    let cosignatures: Vec<&str> = lines(text).collect();
    if let Ok(key) = KEY.parse::<WitnessKey>() {
        assert!(key.find(signed, cosignatures.iter().copied()).is_err());
    }
    if let Ok(whole) = append(text, cosignatures.iter().copied()) {
        assert_eq!(body(&whole), Some(signed));
    }
});
