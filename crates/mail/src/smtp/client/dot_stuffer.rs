//! Content as it goes to a peer after DATA: what makes the wire form from stored octets, so that a
//! peer can see neither a second message in it nor a line end that another program reads differently.

use memchr::memchr3;

/// Turns mail content into the octets sent after `354`, chunk by chunk.
///
/// - Every line start `.` is doubled (RFC 5321 section 4.5.2).
/// - A CR or LF that stands alone becomes CRLF (RFC 5321 section 2.3.8: neither may be sent alone).
/// - NUL is left out (RFC 5321 section 4.5.2 and RFC 5322 section 4 give it no meaning): a peer that drops it would
///   see another line start than one that does not.
///
/// The output of all chunks and of [`DotStuffer::finish`] therefore holds `CRLF . CRLF` exactly once, at its end.
#[derive(Debug)]
pub struct DotStuffer {
    line_start: bool,
    after_cr: bool,
}

impl Default for DotStuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl DotStuffer {
    /// At the start of the first line.
    pub fn new() -> Self {
        Self {
            line_start: true,
            after_cr: false,
        }
    }

    /// Appends the wire form of `chunk` to `out`; at most three octets come out for one that went in.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        while let Some(at) = memchr3(b'\r', b'\n', 0, rest) {
            let (run, special) = rest.split_at(at);
            self.run(run, out);
            if let Some((octet, after)) = special.split_first() {
                self.special(*octet, out);
                rest = after;
            }
        }
        self.run(rest, out);
    }

    /// Appends the end of data: a line end where the last line has none, then the final dot.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.settle_cr(out);
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }

    /// Octets without CR, LF and NUL.
    fn run(&mut self, run: &[u8], out: &mut Vec<u8>) {
        let Some(first) = run.first() else { return };
        self.settle_cr(out);
        if self.line_start && *first == b'.' {
            out.push(b'.');
        }
        out.extend_from_slice(run);
        self.line_start = false;
    }

    fn special(&mut self, octet: u8, out: &mut Vec<u8>) {
        match octet {
            b'\r' => {
                self.settle_cr(out);
                self.after_cr = true;
            }
            b'\n' => {
                self.after_cr = true;
                self.settle_cr(out);
            }
            _ => {}
        }
    }

    /// Writes the line end a CR stands for.
    fn settle_cr(&mut self, out: &mut Vec<u8>) {
        if self.after_cr {
            out.extend_from_slice(b"\r\n");
            self.after_cr = false;
            self.line_start = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DotStuffer;

    fn wire(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut stuffer, mut out) = (DotStuffer::new(), Vec::new());
        for chunk in chunks {
            stuffer.write(chunk, &mut out);
        }
        stuffer.finish(&mut out);
        out
    }

    const TABLE: &[(&[u8], &[u8])] = &[
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..a\r\n.b", b"...a\r\n..b\r\n.\r\n"),
        (b"a.\r\n", b"a.\r\n.\r\n"),
        (b"\r\n\r\n", b"\r\n\r\n.\r\n"),
        // The nine sequences of row M2.
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\n.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\n\0.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\n.\r\r\nb", b"a\r\n..\r\n\r\nb\r\n.\r\n"),
        (b"a\r\r\n.\r\r\nb", b"a\r\n\r\n..\r\n\r\nb\r\n.\r\n"),
        (b"a\r\0\n.\r\0\nb", b"a\r\n..\r\nb\r\n.\r\n"),
    ];

    #[test]
    fn m2_wire_form_at_every_split() {
        for (content, expected) in TABLE {
            assert_eq!(&wire(&[content]), expected, "{content:?} whole");
            for first in 0..=content.len() {
                for second in first..=content.len() {
                    let chunks = [
                        &content[..first],
                        &content[first..second],
                        &content[second..],
                    ];
                    assert_eq!(&wire(&chunks), expected, "{content:?} at {first}, {second}");
                }
            }
        }
    }

    /// All contents of up to six octets of a small alphabet: no bare line end, one end of data.
    #[test]
    fn m2_no_content_makes_a_bare_line_end_or_a_second_end() {
        let alphabet = b".\r\n\0a";
        for number in 0..5usize.pow(6) {
            let content: Vec<u8> = (0..6)
                .map(|i| alphabet[number / 5usize.pow(i) % 5])
                .collect();
            let mut out = b"\r\n".to_vec();
            out.extend(wire(&[&content]));
            for (at, octet) in out.iter().enumerate() {
                match octet {
                    b'\r' => assert_eq!(out.get(at + 1), Some(&b'\n'), "{content:?}"),
                    b'\n' => assert_eq!(out[at - 1], b'\r', "{content:?}"),
                    _ => assert_ne!(*octet, 0),
                }
            }
            let ends = out.windows(5).filter(|w| w == b"\r\n.\r\n").count();
            assert!(ends == 1 && out.ends_with(b"\r\n.\r\n"), "{content:?}");
        }
    }
}
