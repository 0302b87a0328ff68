//! Paths of tiles: what is read is bounded, so that no sum of it overflows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vault::format::tile_path::TilePath;

fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<TilePath>() {
        assert!(path.n < 1_000_000_000_000 && (1..=256).contains(&path.width));
        assert!(path.level.is_none_or(|level| level <= 7));
    }
});
