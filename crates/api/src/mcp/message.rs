//! One JSON-RPC message, before rmcp sees it.
//!
//! rmcp reads into `serde_json::Value`, which keeps the last of two equal members and rounds large
//! numbers. Sealed data must be read as strictly as on any route. So a tool's arguments are taken
//! out of the message, as the text that came, and rmcp gets the rest.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use kernel::text::excerpt;
use rmcp::{ErrorData, model::RequestId};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::{RawValue, to_raw_value};

/// A message in its parts.
#[derive(Debug)]
pub struct Message {
    /// The request's identifier, where it has one.
    pub id: Option<RequestId>,
    /// The message without the arguments.
    pub body: Bytes,
    /// The arguments of a `tools/call`.
    pub arguments: Option<Box<RawValue>>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// Fails on text that is not one JSON object, and on members that are there twice: with the
    /// fault, and with the id of the request if it can be read.
    pub fn read(bytes: Bytes) -> Result<Self, (Option<RequestId>, ErrorData)> {
        if bytes.trim_ascii_start().starts_with(b"[") {
            let detail = "Send one message a request: batches are not taken";
            return Err((None, ErrorData::invalid_request(detail, None)));
        }
        let mut members: Members<'_> = serde_json::from_slice(&bytes).map_err(|error| {
            (None, ErrorData::parse_error(format!("The body is not one message: {error}"), None))
        })?;
        let id: Option<RequestId> = members.value("id");
        let is_call = members.value::<String>("method").is_some_and(|method| method == "tools/call");
        let Some(params) = members.0.get("params").filter(|_| is_call) else {
            return Ok(Self { id, body: bytes, arguments: None });
        };
        let invalid = |error: serde_json::Error| {
            (id.clone(), ErrorData::invalid_params(format!("`params` cannot be read: {error}"), None))
        };
        let mut params: Members<'_> = serde_json::from_str(params.get()).map_err(invalid)?;
        let arguments = params.0.remove("arguments").map(ToOwned::to_owned);
        let params = to_raw_value(&params.0).map_err(invalid)?;
        members.0.insert("params".to_owned(), &params);
        let body = serde_json::to_vec(&members.0).map_err(invalid)?.into();
        Ok(Self { id, body, arguments })
    }
}

/// An object's members, each of which is there once; their values are unread.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl Members<'_> {
    fn value<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = BTreeMap<String, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = entries.next_entry::<String, &RawValue>()? {
                    let shown = excerpt(&name, 64);
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom(format_args!("has the member `{shown}` twice")));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Once).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Result<Message, (Option<RequestId>, ErrorData)> {
        Message::read(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn arguments_stay_the_text_they_came_as_and_rmcp_gets_the_rest() {
        let arguments = r#"{ "payload": {"a": 1.50, "a": 9007199254740993}, "deep": [[[1e999]]] }"#;
        let params = format!(r#"{{"name":"t","arguments":{arguments},"_meta":{{"k":1}}}}"#);
        let text = format!(r#" {{"jsonrpc":"2.0","id":"x","method":"tools/\u0063all","params":{params}}}"#);
        let message = read(&text).unwrap();
        assert_eq!(message.arguments.unwrap().get(), arguments);
        assert_eq!(message.id, Some(RequestId::String("x".into())));
        let rest: Value = serde_json::from_slice(&message.body).unwrap();
        let params = json!({"name": "t", "_meta": {"k": 1}});
        let wanted = json!({"jsonrpc": "2.0", "id": "x", "method": "tools/call", "params": params});
        assert_eq!(rest, wanted);
    }

    #[test]
    fn other_messages_go_through_as_they_are() {
        let text = r#"{"method":"tools/list", "jsonrpc":"2.0","id":7,"params":{"arguments":1}}"#;
        let message = read(text).unwrap();
        assert_eq!((message.body.as_ref(), message.arguments.is_none()), (text.as_bytes(), true));
        assert_eq!(message.id, Some(RequestId::Number(7)));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, code) in [
            (r#"{"method":"tools/call","method":"tools/list"}"#, -32700),
            (r#"{"method":"tools/call","\u006dethod":"tools/list"}"#, -32700),
            (r#"{"method":"tools/call","params":{"arguments":{},"arguments":{}}}"#, -32602),
            (r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#, -32602),
            (r#"{"method":"tools/call","params":[]}"#, -32602),
            (r#"[{"method":"tools/list"}]"#, -32600),
            ("{} {}", -32700),
            ("", -32700),
            ("nul", -32700),
        ] {
            assert_eq!(read(text).unwrap_err().1.code.0, code, "{text}");
        }
        assert!(Message::read(Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
    }
}
