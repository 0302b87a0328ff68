//! Text that is quoted back to a caller, or written to a log or a mail.

/// Returns at most `max` characters of `text`, with control characters shown as escapes and an
/// ellipsis where it was cut.
pub fn excerpt(text: &str, max: usize) -> String {
    let mut shown: String = text
        .chars()
        .take(max)
        .flat_map(|c| {
            let plain = !c.is_control();
            plain.then_some(c).into_iter().chain((!plain).then(|| c.escape_default()).into_iter().flatten())
        })
        .collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the text with control characters replaced by spaces, so that it stays on its line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_short_and_printable() {
        assert_eq!(excerpt("abc", 3), "abc");
        assert_eq!(excerpt("abcd", 3), "abc…");
        assert_eq!(excerpt("a\u{1b}b\0", 9), "a\\u{1b}b\\u{0}");
    }
}
