//! JSON that every reader reads alike: parsed strictly (RFC 8259 within the limits of I-JSON, RFC
//! 7493) and written canonically (RFC 8785).
//!
//! A lenient parser takes the last of two equal keys and rounds 9007199254740993 to its neighbor,
//! so two inputs would seal alike. Both are refused here. The bytes written here are hashed as they
//! are, and never derived again from the values that a database returns.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The largest integer that every reader of JSON keeps exactly: 2^53 − 1.
const MAX_INTEGER: i64 = (1 << 53) - 1;
/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 32;
/// The most members that all objects of a value may have together.
pub const MAX_KEYS: usize = 4_096;

/// The error for text that is not JSON that every reader reads alike; it names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotStrictJson(String);

/// Reads one JSON value.
///
/// # Errors
/// [`NotStrictJson`] for text that is not JSON or not UTF-8, a key that an object has twice, a
/// number beyond ±(2^53 − 1), or more than [`MAX_DEPTH`] levels or [`MAX_KEYS`] keys.
pub fn parse(text: &[u8]) -> Result<Value, NotStrictJson> {
    let mut keys = 0;
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let refused = |error: serde_json::Error| NotStrictJson(error.to_string());
    let value = Strict { depth: 0, keys: &mut keys }.deserialize(&mut deserializer).map_err(refused)?;
    deserializer.end().map_err(refused)?;
    Ok(value)
}

/// Returns the canonical form of a value that [`parse`] read.
///
/// # Errors
/// `Internal` for a number that is not finite, which a `Value` cannot hold.
pub fn canonical(value: &Value) -> kernel::Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(kernel::Error::internal)
}

struct Strict<'a> {
    depth: usize,
    keys: &'a mut usize,
}

impl Strict<'_> {
    fn inner<E: serde::de::Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nests deeper than {MAX_DEPTH} levels")));
        }
        Ok(Strict { depth: self.depth + 1, keys: self.keys })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER.unsigned_abs() { Err(beyond()) } else { Ok(value.into()) }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER.unsigned_abs() { Err(beyond()) } else { Ok(value.into()) }
    }

    /// Refuses a number beyond the bound: a double has no fraction there, and is a rounded integer.
    #[expect(clippy::cast_precision_loss, reason = "the bound is exact as a double")]
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() > MAX_INTEGER as f64 {
            return Err(beyond());
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(beyond)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(self.inner()?)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            *self.keys += 1;
            if *self.keys > MAX_KEYS {
                return Err(A::Error::custom(format_args!("has more than {MAX_KEYS} keys")));
            }
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "has the key `{}` twice",
                    kernel::text::excerpt(&key, 64)
                )));
            }
            let value = members.next_value_seed(self.inner()?)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

fn beyond<E: serde::de::Error>() -> E {
    E::custom(
        "a number lies beyond ±9007199254740991, where readers of JSON round differently; \
         send it as a string",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            "9007199254740992",
            "-9007199254740992",
            "9007199254740993.0",
            "1e300",
            "18446744073709551616",
            "1e999",
            "NaN",
            "Infinity",
            "01",
            "1 2",
            "",
            "\"\\ud800\"",
            "{\"a\":1,}",
            "\u{feff}1",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        assert!(parse(b"\"\x01\"").is_err());
        assert_eq!(parse(b"9007199254740991").unwrap(), 9_007_199_254_740_991_i64);
    }

    #[test]
    fn depth_and_keys_are_bounded() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 1)).is_err());
        assert!(parse(&nested(100_000)).is_err());
        let wide = |keys: usize| {
            format!("{{{}}}", (0..keys).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(","))
        };
        assert!(parse(wide(MAX_KEYS).as_bytes()).is_ok());
        assert!(parse(wide(MAX_KEYS + 1).as_bytes()).is_err());
    }

    /// Shows the examples of RFC 8785, sections 3.2.2 and 3.2.3.
    #[test]
    fn the_examples_of_the_rfc_come_out() {
        let input = concat!(
            r#"{"numbers":[333333333.33333329,1E10,4.50,2e-3,0.000000000000000000000000001],"#,
            r#""string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        );
        let output = concat!(
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,10000000000,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        );
        assert_eq!(String::from_utf8(canonical(&parse(input.as_bytes()).unwrap()).unwrap()).unwrap(), output);
        let keys =
            concat!(r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"#, r#""\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,);
        let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(String::from_utf8(canonical(&parse(keys.as_bytes()).unwrap()).unwrap()).unwrap(), sorted);
    }

    proptest! {
        /// Canonical text is a fixed point of [`canonical`], for every value.
        #[test]
        fn canonical_text_stays_as_it_is(text in "[\\[\\]{}\",:a-c0-9.\\-eE ]{0,40}") {
            if let Ok(value) = parse(text.as_bytes()) {
                let once = canonical(&value).unwrap();
                prop_assert_eq!(canonical(&parse(&once).unwrap()).unwrap(), once);
            }
        }

        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
