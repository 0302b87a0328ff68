//! Sizes and widths: files that are read in one go, lines that fit half a screen, comments that fit
//! a page.

use crate::{none, sources};

/// The most lines of a source file. A longer one does several things.
const MAX_LINES: usize = 500;
const MAX_MEDIAN_LINES: usize = 110;
const MAX_P90_LINES: usize = 300;
const MAX_LINE_COLUMNS: usize = 110;
const MAX_COMMENT_COLUMNS: usize = 100;

#[test]
fn no_file_is_too_long_to_read() {
    let long = |(path, lines): &(String, usize)| (*lines > MAX_LINES).then(|| format!("{path} has {lines}"));
    none(lengths().iter().filter_map(long).collect(), "a file has at most 500 lines");
}

#[test]
fn most_files_are_short() {
    let mut lengths: Vec<_> = lengths().into_iter().map(|(_, lines)| lines).collect();
    lengths.sort_unstable();
    let (median, p90) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(median <= MAX_MEDIAN_LINES, "the median file has {median} lines, more than {MAX_MEDIAN_LINES}");
    assert!(p90 <= MAX_P90_LINES, "nine files of ten have up to {p90} lines, more than {MAX_P90_LINES}");
}

#[test]
fn lines_fit() {
    let wide = offenders(|line| line.chars().count() > MAX_LINE_COLUMNS);
    none(wide, "a line of source has at most 110 columns");
}

#[test]
fn comments_fit() {
    let wide =
        offenders(|line| line.trim_start().starts_with("//") && line.chars().count() > MAX_COMMENT_COLUMNS);
    none(wide, "a line of comment has at most 100 columns");
}

#[test]
fn documentation_is_in_the_third_person() {
    // CONTRIBUTING.md asks for "Returns …" and "Checks …". Read aloud, no sentence begins in the
    // middle.
    const BANNED: [&str; 9] =
        ["What ", "How ", "That ", "Whether ", "Of ", "Who ", "Whom ", "Whose ", "To who "];
    let mut found = Vec::new();
    for (path, text) in sources() {
        let mut before = "";
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let opens = !before.starts_with("///") && !before.starts_with("//!");
            let words = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
            if let Some(words) = words.filter(|_| opens)
                && BANNED.iter().any(|opening| words.starts_with(opening))
            {
                found.push(format!("{}:{}: {words}", path.display(), index + 1));
            }
            before = line;
        }
    }
    none(found, "documentation begins with what the item is or does, in the third person");
}

fn lengths() -> Vec<(String, usize)> {
    sources().into_iter().map(|(path, text)| (path.display().to_string(), text.lines().count())).collect()
}

fn offenders(is_offender: impl Fn(&str) -> bool) -> Vec<String> {
    let of_file = |(path, text): (std::path::PathBuf, String)| {
        let lines: Vec<_> =
            text.lines().enumerate().filter(|(_, line)| is_offender(line)).map(|(at, _)| at + 1).collect();
        lines.into_iter().map(move |line| format!("{}:{line}", path.display()))
    };
    sources().into_iter().flat_map(of_file).collect()
}
