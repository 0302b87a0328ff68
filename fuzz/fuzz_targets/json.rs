//! Strict JSON: whatever is read is written canonically, once and for all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::format::json::{canonical, parse};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = parse(bytes) {
        let once = canonical(&value).expect("what was read can be written");
        let again = parse(&once).expect("canonical text is strict");
        assert_eq!(canonical(&again).expect("what was read can be written"), once);
    }
});
