//! The encoding of forms, in buffers that are wiped.

use bytes::Bytes;
use form_urlencoded::byte_serialize;
use secrecy::ExposeSecret;
use secret::SecretValue;
use zeroize::Zeroizing;

/// What stands in a field.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Text(&'a str),
    Secret(&'a SecretValue),
}

impl<'a> Field<'a> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the issuer is who the secret is proved to"
    )]
    fn bytes(self) -> &'a [u8] {
        match self {
            Field::Text(text) => text.as_bytes(),
            Field::Secret(secret) => secret.expose_secret(),
        }
    }
}

/// One value, encoded.
pub(super) fn encoded(field: Field<'_>) -> Zeroizing<String> {
    let mut text = with_room_for(&[field]);
    text.extend(byte_serialize(field.bytes()));
    text
}

/// A form. Its names need no encoding.
pub(super) fn form(fields: &[(&'static str, Field<'_>)]) -> Bytes {
    let values: Vec<_> = fields.iter().map(|(_, value)| *value).collect();
    let mut text = with_room_for(&values);
    let mut separator = "";
    for (name, value) in fields {
        text.extend([separator, name, "="]);
        text.extend(byte_serialize(value.bytes()));
        separator = "&";
    }
    Bytes::from_owner(text)
}

/// A text that needn't grow, for that would leave copies behind. An encoded byte takes
/// up to three, a name with its signs less than 100.
fn with_room_for(values: &[Field<'_>]) -> Zeroizing<String> {
    let bytes: usize = values.iter().map(|value| value.bytes().len()).sum();
    Zeroizing::new(String::with_capacity(3 * bytes + 100 * values.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_forms_are() {
        let value = |bytes: &[u8]| encoded(Field::Secret(&SecretValue::from(bytes))).to_string();
        assert_eq!(value(b"aZ09-._*"), "aZ09-._*");
        assert_eq!(value(b"+ &%:=\"'~/?"), "%2B+%26%25%3A%3D%22%27%7E%2F%3F");
        assert_eq!(value("\u{e9}\n".as_bytes()), "%C3%A9%0A");
        assert_eq!(value(b"\xff\0"), "%FF%00");
    }

    #[test]
    fn a_form_joins_names_and_values() {
        let secret = SecretValue::from(b"a&b=c".as_slice());
        let body = form(&[("id", Field::Text("x y")), ("s", Field::Secret(&secret))]);
        assert_eq!(body, "id=x+y&s=a%26b%3Dc");
    }

    #[test]
    fn no_text_grows() {
        let worst = SecretValue::from([0xff; 4096].as_slice());
        let field = Field::Secret(&worst);
        assert_eq!(encoded(field).len(), 3 * 4096);
        assert_eq!(
            encoded(field).capacity(),
            with_room_for(&[field]).capacity()
        );
    }
}
