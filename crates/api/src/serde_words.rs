//! serde's complaints in the words of whoever wrote the JSON. serde says what broke in text only; what is not known here is said as it came.

/// What is wrong with a value, from serde's text.
pub fn plain(text: &str) -> String {
    let text = text.split_once(" at line ").map_or(text, |(said, _)| said);
    let said = if let Some(rest) = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "))
    {
        rest.rsplit_once(", expected ")
            .map(|(found, wanted)| format!("must be {}, is {}", self::wanted(wanted), self::found(found)))
    } else if let Some(rest) = text.strip_prefix("unknown variant ") {
        rest.split_once(", expected ").map(|(found, known)| format!("must be {known}, is {found}"))
    } else if let Some(rest) = text.strip_prefix("unknown field ") {
        rest.split_once(", expected ").map(|(found, known)| format!("{found} is not known here; known is {known}"))
    } else if text.starts_with("provided string was not") {
        Some("must be true or false".to_owned())
    } else {
        None
    };
    said.unwrap_or_else(|| text.to_owned())
}

fn wanted(text: &str) -> &str {
    match text {
        "a sequence" => "a list",
        "a string" | "a borrowed string" | "str" => "a text",
        "a boolean" => "true or false",
        "a map" => "an object",
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number in its range",
        "u8" | "u16" | "u32" | "u64" | "usize" | "a nonzero u64" => "a whole number, not negative, in its range",
        text if text.starts_with("struct ") || text.starts_with("internally tagged enum ") => "an object",
        text => text,
    }
}

fn found(text: &str) -> String {
    if let Some(string) = text.strip_prefix("string ") {
        return format!("the text {string}");
    }
    let scalar = ["integer ", "floating point ", "boolean "].into_iter().find_map(|kind| text.strip_prefix(kind));
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
    fn what_serde_says_is_said_in_json_s_own_words() {
        for (said, wanted) in [
            (said::<Vec<u8>>("{}"), "must be a list, is an object"),
            (said::<String>("7"), "must be a text, is 7"),
            (said::<bool>("\"yes\""), "must be true or false, is the text \"yes\""),
            (said::<u8>("256"), "must be a whole number, not negative, in its range, is 256"),
            (said::<u8>("-1.5"), "must be a whole number, not negative, in its range, is -1.5"),
            (said::<String>("null"), "must be a text, is null"),
            (said::<Line>("7"), "must be an object, is 7"),
            (said::<Line>("{\"counts\": 1}"), "`counts` is not known here; known is `count`"),
            (said::<Way>("\"Left\""), "must be `Up` or `Down`, is `Left`"),
            ("provided string was not `true` or `false`".to_owned(), "must be true or false"),
            ("something new".to_owned(), "something new"),
        ] {
            assert_eq!(plain(&said), wanted);
        }
        let _ = [Way::Up, Way::Down];
    }
}
