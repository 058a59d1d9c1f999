//! PEM text (RFC 7468), read leniently: what stands between the blocks is skipped.

use zeroize::Zeroizing;

/// One block.
pub struct Block {
    /// What BEGIN names, such as `CERTIFICATE`.
    pub label: String,
    /// The decoded octets; wiped when dropped, since they may be a private key.
    pub der: Zeroizing<Vec<u8>>,
}

/// The text is not PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged PEM text")]
pub struct PemError;

/// Whether a BEGIN line occurs.
pub fn looks_like(octets: &[u8]) -> bool {
    octets
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes())
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// All blocks in order. A block without its END line, or with other characters than base64 inside, is an error;
/// header lines inside (`Proc-Type: ...`) are too, since the block is then encrypted.
pub fn read(octets: &[u8]) -> Result<Vec<Block>, PemError> {
    let text = String::from_utf8_lossy(octets);
    let mut blocks = Vec::new();
    let mut open: Option<(String, Zeroizing<String>)> = None;
    for line in text.lines().map(str::trim) {
        if let Some(label) = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix("-----"))
        {
            if open.is_some() {
                return Err(PemError);
            }
            open = Some((label.to_owned(), Zeroizing::new(String::new())));
        } else if let Some(label) = line
            .strip_prefix(END)
            .and_then(|rest| rest.strip_suffix("-----"))
        {
            let (begun, body) = open.take().ok_or(PemError)?;
            if begun != label {
                return Err(PemError);
            }
            let der = base64_simd::STANDARD
                .decode_to_vec(body.as_bytes())
                .map_err(|_| PemError)?;
            blocks.push(Block {
                label: begun,
                der: Zeroizing::new(der),
            });
        } else if let Some((_, body)) = &mut open {
            body.push_str(line);
        }
    }
    if open.is_some() {
        Err(PemError)
    } else {
        Ok(blocks)
    }
}

/// One block with lines of 64 characters.
pub fn write(label: &str, der: &[u8]) -> String {
    let body = base64_simd::STANDARD.encode_to_string(der);
    let mut text = format!("{BEGIN}{label}-----\n");
    for (at, character) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n{END}{label}-----\n"));
    text
}
