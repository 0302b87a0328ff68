//! Numbers and nouns as people read them.

/// Counts entries.
pub(super) fn entries(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "entry" } else { "entries" })
}

/// Counts things of that name.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// Writes a number as people read it: `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let read = [0, 999, 1_000, 123_456, 1_234_567].map(thousands);
        assert_eq!(read, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!(
            [entries(1), entries(2_000), counted(1, "log"), counted(0, "log")],
            ["1 entry", "2,000 entries", "1 log", "0 logs"]
        );
    }
}
