//! Just enough reading of messages to compare what went in with what came out, apart from the product's own code.

/// The header block, up to and with its last CRLF, and the body behind the blank line.
pub fn split(message: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = message.strip_prefix(b"\r\n") {
        return (&[], body);
    }
    match find(message, b"\r\n\r\n") {
        Some(at) => (&message[..at + 2], &message[at + 4..]),
        None => (message, &[]),
    }
}

/// The unfolded value of the first field called `name`.
pub fn field(message: &[u8], name: &str) -> Option<String> {
    fields(message, name).into_iter().next()
}

/// The unfolded values of all fields called `name`.
pub fn fields(message: &[u8], name: &str) -> Vec<String> {
    let (header, _) = split(message);
    let header = String::from_utf8_lossy(header)
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ");
    header
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .filter(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// The fields `Content-...` and `MIME-Version`, a blank line and the body: what S/MIME programs read.
pub fn entity(message: &[u8]) -> Vec<u8> {
    let (header, body) = split(message);
    let mut entity = Vec::new();
    let mut keep = false;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.to_ascii_lowercase();
            keep = name.starts_with(b"content-") || name.starts_with(b"mime-version");
        }
        if keep {
            entity.extend_from_slice(line);
        }
    }
    entity.extend_from_slice(b"\r\n");
    entity.extend_from_slice(body);
    entity
}

/// A message with the other fields of `message` and the whole entity `entity`.
pub fn with_entity(message: &[u8], entity: &[u8]) -> Vec<u8> {
    let (header, _) = split(message);
    let mut out = Vec::new();
    let mut keep = true;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.to_ascii_lowercase();
            keep = !name.starts_with(b"content-") && !name.starts_with(b"mime-version");
        }
        if keep {
            out.extend_from_slice(line);
        }
    }
    if field(entity, "MIME-Version").is_none() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    out.extend_from_slice(entity);
    out
}

/// What a message is by its media type: the form the outcome matrix speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// No S/MIME.
    Plain,
    /// `multipart/signed`, or `application/pkcs7-mime` with `smime-type=signed-data`.
    Signed,
    /// `application/pkcs7-mime` with `smime-type=enveloped-data` or `authEnveloped-data`.
    Encrypted,
}

/// The form of a message or entity.
pub fn form(message: &[u8]) -> Form {
    let value = field(message, "Content-Type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let pkcs7 = value.starts_with("application/pkcs7-mime")
        || value.starts_with("application/x-pkcs7-mime");
    if value.starts_with("multipart/signed") || (pkcs7 && value.contains("signed-data")) {
        Form::Signed
    } else if pkcs7 {
        Form::Encrypted
    } else {
        Form::Plain
    }
}

/// The octets of the first part of a `multipart/signed`, as they stand on the wire: what its signature covers.
pub fn signed_part(message: &[u8]) -> Option<&[u8]> {
    let value = field(message, "Content-Type")?;
    let boundary = value.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    })?;
    let (_, body) = split(message);
    let opening = format!("--{boundary}\r\n");
    let start = find(body, opening.as_bytes())? + opening.len();
    let inner = body.get(start..)?;
    let end = find(inner, format!("\r\n--{boundary}").as_bytes())?;
    inner.get(..end)
}

/// Where `needle` first stands in `octets`.
pub fn find(octets: &[u8], needle: &[u8]) -> Option<usize> {
    octets
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &[u8] = b"From: a@x.example\r\nX-A: 1\r\nContent-Type: multipart/signed;\r\n boundary=\"b\"; micalg=sha-256\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\n--b\r\nsig\r\n--b--\r\n";

    #[test]
    fn parts_are_found() {
        assert_eq!(split(b"\r\nbody\r\n\r\n"), (&b""[..], &b"body\r\n\r\n"[..]));
        assert_eq!(split(b"A: 1\r\n\r\nbody"), (&b"A: 1\r\n"[..], &b"body"[..]));
        assert_eq!(
            signed_part(SIGNED),
            Some(&b"Content-Type: text/plain\r\n\r\nhello\r\n"[..])
        );
        assert_eq!(form(SIGNED), Form::Signed);
        assert_eq!(field(SIGNED, "x-a").as_deref(), Some("1"));
        assert!(entity(SIGNED).starts_with(b"Content-Type: multipart/signed;\r\n boundary"));
        let wrapped = with_entity(SIGNED, b"Content-Type: text/plain\r\n\r\nx\r\n");
        assert_eq!(wrapped, b"From: a@x.example\r\nX-A: 1\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nx\r\n");
    }
}
