//! Covered components and the signature base (RFC 9421, sections 2 and 3.2).

use std::fmt::Write as _;

use chrono::DateTime;
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, ListEntry, Parser};
use url::Url;

use crate::{
    clock::Timestamp,
    error::{Code, Error, Result},
    text::excerpt,
};

/// Returns the error for headers that cannot be read as a signature.
pub(super) fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::SignatureMalformed, detail)
}

/// The most components that one signature may cover.
const MAX_COMPONENTS: usize = 32;

/// The scheme and authority under which the API answers, from configuration: a `Host` header is the
/// client's to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    authority: String,
}

impl Origin {
    /// Returns the origin of the URL that clients use; its path plays no part.
    pub fn of(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        // `Url::port` leaves a scheme's default port out, as `@authority` must.
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Self { scheme: url.scheme().to_owned(), authority }
    }

    /// Returns the host, and the port where it is not the scheme's own.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// The headers of a request, in whichever type an HTTP library keeps them.
pub trait Headers {
    /// Returns every value of a header, by its lower-case name, in order.
    fn values(&self, name: &str) -> Vec<&[u8]>;
}

/// The parts of a request that a signature can cover, free of any HTTP library.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// The origin of the API.
    pub origin: &'a Origin,
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path as it was sent, percent signs and all.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// Its headers.
    pub headers: &'a dyn Headers,
    /// True when there is a body to cover.
    pub has_body: bool,
}

impl RequestParts<'_> {
    /// Returns the values of a header joined as section 2.1 says; `None` when it is absent.
    ///
    /// # Errors
    /// [`Code::SignatureMalformed`] when a value is not ASCII.
    pub fn header(&self, name: &str) -> Result<Option<String>> {
        let values = self.headers.values(name);
        if values.is_empty() {
            return Ok(None);
        }
        let texts = values
            .into_iter()
            .map(|value| std::str::from_utf8(value.trim_ascii()).ok().filter(|text| text.is_ascii()))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| malformed(format!("the header `{name}` is not ASCII")))?;
        Ok(Some(texts.join(", ")))
    }

    fn target(&self) -> String {
        match self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.to_owned(),
        }
    }
}

/// One covered component: a derived one, or a header by its lower-case name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    name: String,
}

impl Component {
    fn value(&self, request: &RequestParts<'_>) -> Result<String> {
        Ok(match self.name.as_str() {
            "@method" => request.method.to_owned(),
            "@scheme" => request.origin.scheme.clone(),
            "@authority" => request.origin.authority.clone(),
            "@path" => request.path.to_owned(),
            "@query" => format!("?{}", request.query.unwrap_or_default()),
            "@request-target" => request.target(),
            "@target-uri" => {
                format!("{}://{}{}", request.origin.scheme, request.origin.authority, request.target())
            }
            derived if derived.starts_with('@') => {
                return Err(malformed(format!(
                    "the component \"{}\" is not supported",
                    excerpt(derived, 64)
                )));
            }
            header => request.header(header)?.ok_or_else(|| {
                malformed(format!("the covered header \"{}\" is not in the request", excerpt(header, 64)))
            })?,
        })
    }
}

/// The `Signature-Input` and `Signature` entries of one label.
pub(super) struct Fields {
    input: InnerList,
    pub(super) signature: Vec<u8>,
}

impl Fields {
    pub(super) fn read(request: &RequestParts<'_>) -> Result<Self> {
        let missing = || {
            Error::new(
                Code::SignatureMissing,
                "Sign the request (RFC 9421): send `Signature-Input` and `Signature`",
            )
        };
        let inputs = dictionary("Signature-Input", &request.header("signature-input")?.ok_or_else(missing)?)?;
        let signatures = dictionary("Signature", &request.header("signature")?.ok_or_else(missing)?)?;
        let mut ours = inputs.into_iter().filter_map(|(label, entry)| match entry {
            ListEntry::InnerList(list) if keyid(&list).is_some_and(|keyid| keyid.starts_with("did:")) => {
                Some((label, list))
            }
            _ => None,
        });
        let (label, input) = ours.next().ok_or_else(|| malformed("no signature has a DID as its `keyid`"))?;
        if ours.next().is_some() {
            return Err(malformed("more than one signature has a DID as its `keyid`"));
        }
        match signatures.into_iter().find(|(name, _)| *name == label) {
            Some((_, ListEntry::Item(item))) => match item.bare_item {
                BareItem::ByteSequence(signature) if signature.len() == 64 => Ok(Self { input, signature }),
                _ => Err(malformed("the signature must be a byte sequence of 64 bytes")),
            },
            _ => Err(malformed(format!("`Signature` has no entry \"{}\"", excerpt(label.as_str(), 64)))),
        }
    }

    /// Returns the DID of a DID URL such as `did:key:z6Mk…#z6Mk…`, which names one key of its
    /// document.
    pub(super) fn keyid(&self) -> Result<&str> {
        let keyid = keyid(&self.input).ok_or_else(|| malformed("`keyid` is missing"))?;
        Ok(keyid.split_once('#').map_or(keyid, |(did, _)| did))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>> {
        match self.input.params.get(name) {
            None => Ok(None),
            Some(BareItem::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(malformed(format!("`{name}` must be a string"))),
        }
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>> {
        match self.input.params.get(name) {
            None => Ok(None),
            Some(BareItem::Integer(seconds)) => DateTime::from_timestamp(i64::from(*seconds), 0)
                .map(Some)
                .ok_or_else(|| malformed(format!("`{name}` is not a time"))),
            Some(_) => Err(malformed(format!("`{name}` must be an integer, in seconds since 1970"))),
        }
    }

    /// Returns the covered components: each once, none with parameters. A component that is listed
    /// twice, or that means another message, would allow two readings.
    pub(super) fn components(&self) -> Result<Vec<Component>> {
        if self.input.items.len() > MAX_COMPONENTS {
            return Err(malformed(format!("a signature may cover at most {MAX_COMPONENTS} components")));
        }
        let mut components = Vec::with_capacity(self.input.items.len());
        for item in &self.input.items {
            let BareItem::String(name) = &item.bare_item else {
                return Err(malformed("component identifiers must be strings"));
            };
            let component = Component { name: name.as_str().to_owned() };
            if !item.params.is_empty() {
                return Err(malformed(format!(
                    "parameters of the component \"{}\" are not supported",
                    excerpt(&component.name, 64)
                )));
            }
            if component.name.bytes().any(|byte| byte.is_ascii_uppercase()) || components.contains(&component)
            {
                return Err(malformed(format!(
                    "the component \"{}\" must be lower case and stand once",
                    excerpt(&component.name, 64)
                )));
            }
            components.push(component);
        }
        Ok(components)
    }

    pub(super) fn params_line(&self) -> String {
        let list: sfv::List = vec![ListEntry::InnerList(self.input.clone())];
        list.serialize().unwrap_or_default()
    }
}

fn dictionary(name: &str, value: &str) -> Result<Dictionary> {
    Parser::new(value)
        .parse::<Dictionary>()
        .map_err(|_| malformed(format!("`{name}` is not a structured-field dictionary (RFC 9651)")))
}

fn keyid(list: &InnerList) -> Option<&str> {
    match list.params.get("keyid")? {
        BareItem::String(keyid) => Some(keyid.as_str()),
        _ => None,
    }
}

/// Requires that the signature binds this request and no other: it covers the method, the whole
/// target, and the body.
pub(super) fn check_coverage(components: &[Component], request: &RequestParts<'_>) -> Result<()> {
    let covers = |name: &str| components.iter().any(|component| component.name == name);
    let path_and_query =
        covers("@request-target") || (covers("@path") && (request.query.is_none() || covers("@query")));
    let target = covers("@target-uri") || (covers("@authority") && path_and_query);
    let mut missing = Vec::new();
    if !covers("@method") {
        missing.push("\"@method\"");
    }
    if !target {
        missing.push("\"@target-uri\" (or \"@authority\", \"@path\" and, with a query, \"@query\")");
    }
    if request.has_body && !covers("content-digest") {
        missing.push("\"content-digest\"");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::SignatureCoverage, format!("The signature must also cover {}", missing.join(", "))))
}

/// Returns true when a component is a header whose value is a secret between the client and us.
pub(super) fn covers_secrets(components: &[Component]) -> bool {
    const SECRETS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    components.iter().any(|component| SECRETS.contains(&component.name.as_str()))
}

/// Builds the signature base: one line a component, then `@signature-params`.
pub(super) fn build(
    components: &[Component],
    params_line: &str,
    request: &RequestParts<'_>,
) -> Result<String> {
    let mut base = String::new();
    for component in components {
        // Nothing to escape: `value` knows the derived names, and no header that exists has a quote
        // in its name.
        let _ = writeln!(base, "\"{}\": {}", component.name, component.value(request)?);
    }
    let _ = write!(base, "\"@signature-params\": {params_line}");
    Ok(base)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::crypto::{PublicKey, decode_base64};

    struct Sent(&'static [(&'static str, &'static str)]);

    impl Headers for Sent {
        fn values(&self, name: &str) -> Vec<&[u8]> {
            self.0.iter().filter(|(sent, _)| *sent == name).map(|(_, value)| value.as_bytes()).collect()
        }
    }

    /// RFC 9421, appendix B.2.6: a request signed with Ed25519.
    #[test]
    fn the_example_of_the_rfc_verifies() {
        let origin = Origin::of(&Url::parse("https://example.com").unwrap());
        let headers = Sent(&[
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ]);
        let request = RequestParts {
            origin: &origin,
            method: "POST",
            path: "/foo",
            query: Some("param=Value&Pet=dog"),
            headers: &headers,
            has_body: true,
        };
        let names = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
        let components: Vec<_> = names.into_iter().map(|name| Component { name: name.to_owned() }).collect();
        let params = concat!(
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
            r#";created=1618884473;keyid="test-key-ed25519""#
        );
        let base = build(&components, params, &request).unwrap();
        let key =
            PublicKey::from_bytes(&decode_base64("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").unwrap())
                .unwrap();
        let signature = STANDARD
            .decode(
                "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
            )
            .unwrap();
        assert!(key.verifies(base.as_bytes(), &signature));
        assert!(!key.verifies(base.replace("POST", "PUT").as_bytes(), &signature));
    }

    #[test]
    fn the_authority_is_lower_case_and_leaves_default_ports_out() {
        for (url, authority) in [
            ("https://API.Example.com:443/x", "api.example.com"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::1]:80", "[::1]"),
        ] {
            assert_eq!(Origin::of(&Url::parse(url).unwrap()).authority, authority);
        }
    }

    #[test]
    fn a_query_that_is_not_covered_is_refused() {
        let origin = Origin::of(&Url::parse("https://example.com").unwrap());
        let headers = Sent(&[]);
        let mut request = RequestParts {
            origin: &origin,
            method: "GET",
            path: "/v1/inbox",
            query: None,
            headers: &headers,
            has_body: false,
        };
        let named = |names: &[&str]| {
            names.iter().map(|name| Component { name: (*name).to_owned() }).collect::<Vec<_>>()
        };
        let short = named(&["@method", "@authority", "@path"]);
        assert!(check_coverage(&short, &request).is_ok());
        request.query = Some("max=100");
        assert!(check_coverage(&short, &request).is_err());
        for enough in [
            &["@method", "@target-uri"][..],
            &["@method", "@authority", "@request-target"],
            &["@method", "@authority", "@path", "@query"],
        ] {
            assert!(check_coverage(&named(enough), &request).is_ok(), "{enough:?} was refused");
        }
        request.has_body = true;
        assert!(check_coverage(&named(&["@method", "@target-uri"]), &request).is_err());
    }
}
