//! The paths of tiles (C2SP tlog-tiles): `<L>/<N>[.p/<W>]`, where N is written in groups of three
//! digits, all but the last behind an `x`.

use std::str::FromStr;

use super::tree::{TILE_HEIGHT, TILE_WIDTH};

/// A path below `tile/` of a log, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// The level of a tile of hashes; `None` for a bundle of entries.
    pub level: Option<u8>,
    /// The number on that level, from the left.
    pub n: u64,
    /// The number of hashes or entries: 256, or fewer in a partial tile.
    pub width: u64,
}

/// The error for text that is not a tile path, or not in its one canonical spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the path of a tile, such as `0/000`, `0/x001/234.p/56` or `entries/000`")]
pub struct NotATilePath;

/// More levels of tiles than a log of 2^64 entries has.
const MAX_LEVEL: u8 = 7;

impl FromStr for TilePath {
    type Err = NotATilePath;

    fn from_str(text: &str) -> Result<Self, NotATilePath> {
        let (level, rest) = text.split_once('/').ok_or(NotATilePath)?;
        let level = match level {
            "entries" => None,
            digits => {
                let level = decimal(digits).and_then(|level| u8::try_from(level).ok());
                Some(level.filter(|level| *level <= MAX_LEVEL).ok_or(NotATilePath)?)
            }
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => {
                let width = decimal(width).filter(|width| (1..TILE_WIDTH).contains(width));
                (number, width.ok_or(NotATilePath)?)
            }
            None => (rest, TILE_WIDTH),
        };
        Ok(Self { level, n: number_of(number).ok_or(NotATilePath)?, width })
    }
}

/// Reads a number in groups: `x001/x234/067` is 1,234,067. Refuses a group too many.
fn number_of(text: &str) -> Option<u64> {
    // No log grows beyond that, and the sums below stay far from an overflow.
    const MAX_GROUPS: usize = 4;
    let groups: Vec<&str> = text.split('/').collect();
    let (last, leading) = groups.split_last()?;
    if leading.len() >= MAX_GROUPS || leading.first() == Some(&"x000") {
        return None;
    }
    let leading = leading.iter().map(|group| group.strip_prefix('x'));
    leading.chain([Some(*last)]).try_fold(0, |number, group| {
        let group =
            group.filter(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(number * 1_000 + group.parse::<u64>().ok()?)
    })
}

/// Returns the number of hashes that the tile at `level` and `n` has in a log of `size` entries.
pub fn tile_width(size: u64, level: u8, n: u64) -> u64 {
    let hashes = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level)).unwrap_or(0);
    n.checked_mul(TILE_WIDTH).map_or(0, |first| hashes.saturating_sub(first).min(TILE_WIDTH))
}

/// Reads a number without leading zeros, signs or spaces.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(path: TilePath) -> String {
        let mut groups = vec![format!("{:03}", path.n % 1_000)];
        let mut rest = path.n / 1_000;
        while rest > 0 {
            groups.insert(0, format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        let level = path.level.map_or("entries".to_owned(), |level| level.to_string());
        let partial = if path.width < TILE_WIDTH { format!(".p/{}", path.width) } else { String::new() };
        format!("{level}/{}{partial}", groups.join("/"))
    }

    #[test]
    fn only_the_one_way_to_write_it_is_read() {
        let read = |text: &str| text.parse::<TilePath>();
        assert_eq!(read("0/x001/x234/067"), Ok(TilePath { level: Some(0), n: 1_234_067, width: 256 }));
        assert_eq!(read("entries/000.p/1"), Ok(TilePath { level: None, n: 0, width: 1 }));
        for bad in [
            "",
            "0",
            "0/",
            "0/1",
            "0/0001",
            "0/x000/001",
            "0/001/002",
            "00/000",
            "+0/000",
            "8/000",
            "256/000",
            "-1/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p/1/2",
            "0/000/",
            "0/x001",
            "0/x1/000",
            "0/٠٠٠",
            "0/x999/x999/x999/x999/999",
            "data/000",
            "entries",
        ] {
            assert_eq!(read(bad), Err(NotATilePath), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so(
            level in prop::option::of(0_u8..=MAX_LEVEL),
            n in 0_u64..1_000_000_000_000,
            width in 1_u64..=256,
        ) {
            let path = TilePath { level, n, width };
            prop_assert_eq!(text(path).parse(), Ok(path));
        }

        #[test]
        fn any_text_is_read_or_refused(bytes in "[0-9x/.pentris]{0,24}") {
            if let Ok(path) = bytes.parse::<TilePath>() {
                prop_assert_eq!(text(path), bytes);
            }
        }
    }
}
