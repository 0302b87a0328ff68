//! serde's complaints in the words of a client that writes JSON. serde describes faults in text
//! only; a text that is not known stays as it is.

/// Rewrites serde's text about a wrong value.
pub fn plain(text: &str) -> String {
    let text = text.split_once(" at line ").map_or(text, |(said, _)| said);
    let said = if let Some(rest) =
        text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "))
    {
        rest.rsplit_once(", expected ")
            .map(|(found, wanted)| format!("expected {}, got {}", self::wanted(wanted), self::found(found)))
    } else if let Some(rest) = text.strip_prefix("unknown variant ") {
        rest.split_once(", expected ").map(|(found, known)| format!("expected {known}, got {found}"))
    } else if let Some(rest) = text.strip_prefix("unknown field ") {
        rest.split_once(", expected ")
            .map(|(found, known)| format!("unknown field {found}; expected {known}"))
    } else if text.starts_with("provided string was not") {
        Some("expected true or false".to_owned())
    } else {
        None
    };
    said.unwrap_or_else(|| text.to_owned())
}

fn wanted(text: &str) -> &str {
    match text {
        "a sequence" => "a list",
        "a string" | "a borrowed string" | "str" => "a string",
        "a boolean" => "true or false",
        "a map" => "an object",
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer in range",
        "u8" | "u16" | "u32" | "u64" | "usize" | "a nonzero u64" => "a non-negative integer in range",
        text if text.starts_with("struct ") || text.starts_with("internally tagged enum ") => "an object",
        text => text,
    }
}

fn found(text: &str) -> String {
    if let Some(string) = text.strip_prefix("string ") {
        return format!("the string {string}");
    }
    let scalar =
        ["integer ", "floating point ", "boolean "].into_iter().find_map(|kind| text.strip_prefix(kind));
    if let Some(value) = scalar {
        return value.trim_matches('`').to_owned();
    }
    let plain = match text {
        "map" => "an object",
        "sequence" => "a list",
        "unit value" => "null",
        text => text,
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    fn said<T: DeserializeOwned>(json: &str) -> String {
        plain(&serde_json::from_str::<T>(json).map(drop).unwrap_err().to_string())
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Line {
        count: u8,
    }

    #[derive(Deserialize)]
    enum Way {
        Up,
        Down,
    }

    #[test]
    fn a_complaint_of_serde_is_told_in_the_words_of_json() {
        for (said, wanted) in [
            (said::<Vec<u8>>("{}"), "expected a list, got an object"),
            (said::<String>("7"), "expected a string, got 7"),
            (said::<bool>("\"yes\""), "expected true or false, got the string \"yes\""),
            (said::<u8>("256"), "expected a non-negative integer in range, got 256"),
            (said::<u8>("-1.5"), "expected a non-negative integer in range, got -1.5"),
            (said::<String>("null"), "expected a string, got null"),
            (said::<Line>("7"), "expected an object, got 7"),
            (said::<Line>("{\"counts\": 1}"), "unknown field `counts`; expected `count`"),
            (said::<Way>("\"Left\""), "expected `Up` or `Down`, got `Left`"),
            ("provided string was not `true` or `false`".to_owned(), "expected true or false"),
            ("something new".to_owned(), "something new"),
        ] {
            assert_eq!(plain(&said), wanted);
        }
        let _ = [Way::Up, Way::Down];
    }
}
