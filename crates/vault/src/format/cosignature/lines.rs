//! The parts of a signed note: the text that signatures are over, and their lines.

use kernel::error::{Error, Result};
use signed_note::{Note, Signature};

/// Returns the text that the signatures of a note are over: everything before its last empty line,
/// with the last newline. `None` when it has no such line.
pub fn body(note: &str) -> Option<&str> {
    note.rfind("\n\n").map(|end| &note[..=end])
}

/// Returns the signature lines of a note, without their newlines.
pub fn lines(note: &str) -> impl Iterator<Item = &str> {
    note.rfind("\n\n").map_or("", |end| &note[end + 2..]).lines()
}

/// Adds lines that were verified on the note's text to a signed note. A line that the note already
/// has is not added, and a line by a key that has one replaces it: a note has one signature of each
/// key.
/// `Internal` when the note or a line is malformed: both are ours.
/// # Errors
/// `Internal` when the note or a line is malformed: both are ours.
pub fn append<'a>(note: &str, cosignatures: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let parse = |line: &str| Signature::from_bytes(line.as_bytes()).map_err(Error::internal);
    let text = body(note).ok_or_else(|| Error::internal("a note has no empty line"))?;
    let mut signatures = lines(note).map(parse).collect::<Result<Vec<_>>>()?;
    for line in cosignatures {
        let new = parse(line)?;
        match signatures.iter_mut().find(|old| (old.name(), old.id()) == (new.name(), new.id())) {
            Some(old) => *old = new,
            None => signatures.push(new),
        }
    }
    let whole = Note::new(text.as_bytes(), &signatures).map_err(Error::internal)?.to_bytes();
    // Refuses what the parts alone do not show, such as control characters.
    Note::from_bytes(&whole).map_err(Error::internal)?;
    String::from_utf8(whole).map_err(Error::internal)
}
