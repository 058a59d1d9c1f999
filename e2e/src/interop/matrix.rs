//! Runs the cells of one peer and judges its skips.

use std::fmt;

use super::cell::{
    Cell, Content, Direction, Encoding, Layers, Management, Signature, SignedForm, cells,
};
use super::peer::{Peer, Result};
use super::skip::Skip;
use super::wrap::{encoding, names, parts};

/// Octets of the entity that is signed and encrypted: more than one piece of a string in BER, and no whole cipher block.
const ENTITY_OCTETS: usize = 10_007;

/// The entity of every cell.
pub fn entity() -> Vec<u8> {
    let mut entity =
        b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
            .to_vec();
    for line in 0.. {
        if entity.len() > ENTITY_OCTETS - 80 {
            break;
        }
        entity.extend(format!("{line} lines came before this one\r\n").into_bytes());
    }
    entity.resize(ENTITY_OCTETS - 2, b'=');
    entity.extend_from_slice(b"\r\n");
    entity
}

/// What a cell came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Good on both sides.
    Passed,
    /// Failed as a skip says; the number of the skip in the peer's list.
    Skipped(usize),
    /// Failed, or a skip that is none.
    Failed(String),
}

/// All cells of one peer with what they came to.
#[derive(Debug)]
pub struct Run {
    /// The peer.
    pub peer: &'static str,
    /// Its skips.
    pub skips: Vec<Skip>,
    /// Its cells.
    pub cells: Vec<(Cell, Outcome)>,
}

/// Who takes part in a run.
#[derive(Clone, Copy)]
pub struct Parties<'a> {
    /// The program under test.
    pub ours: &'a dyn Peer,
    /// The peer.
    pub peer: &'a dyn Peer,
    /// Writes what shows whether the peer reads an algorithm at all.
    pub reference: &'a dyn Peer,
}

/// Runs all cells of a peer.
pub fn run(parties: Parties<'_>) -> Run {
    let skips = Skip::of(parties.peer.name());
    let cells = cells()
        .into_iter()
        .map(|cell| (cell, parties.judge(&cell, &skips)))
        .collect();
    Run {
        peer: parties.peer.name(),
        skips,
        cells,
    }
}

impl Parties<'_> {
    fn judge(&self, cell: &Cell, skips: &[Skip]) -> Outcome {
        let (writer, reader) = match cell.direction {
            Direction::Read => (self.peer, self.ours),
            Direction::Written => (self.ours, self.peer),
        };
        let result = passes(cell, writer, reader);
        let skip = skips.iter().position(|skip| skip.matches(cell));
        match (result, skip) {
            (Ok(()), None) => Outcome::Passed,
            (Err(failure), None) => Outcome::Failed(failure.to_string()),
            (Ok(()), Some(_)) => Outcome::Failed("works: remove its skip".to_owned()),
            (Err(Failure::Writer(_)), Some(number)) if cell.direction == Direction::Read => {
                Outcome::Skipped(number)
            }
            (Err(failure), Some(number)) => match self.peer_can(cell) {
                Some(writer) => Outcome::Failed(format!(
                    "no permitted skip, the peer reads what {writer} writes here: {failure}"
                )),
                None => Outcome::Skipped(number),
            },
        }
    }

    /// The writer whose output the peer reads in a cell it is to be excused from. For what we read only its own output counts, and
    /// only in the encoding of the cell.
    fn peer_can(&self, cell: &Cell) -> Option<&'static str> {
        if cell.direction == Direction::Read {
            return passes(cell, self.peer, self.peer)
                .is_ok()
                .then(|| self.peer.name());
        }
        let other = Cell {
            encoding: Encoding::Ber,
            ..*cell
        };
        let tries = [
            (cell, self.peer),
            (&other, self.peer),
            (cell, self.reference),
        ];
        let can = tries
            .into_iter()
            .find(|(cell, writer)| passes(cell, *writer, self.peer).is_ok());
        can.map(|(_, writer)| writer.name())
    }
}

/// Why a cell did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The writer wrote nothing, or not what the cell says.
    Writer(String),
    /// The reader did not read it.
    Reader(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writer(reason) => write!(f, "writer: {reason}"),
            Self::Reader(reason) => write!(f, "reader: {reason}"),
        }
    }
}

/// Whether what `writer` writes in a cell is what the cell says, and `reader` reads it.
pub fn passes(
    cell: &Cell,
    writer: &dyn Peer,
    reader: &dyn Peer,
) -> std::result::Result<(), Failure> {
    let entity = entity();
    let written = written(cell, writer, &entity).map_err(Failure::Writer)?;
    match read(cell, reader, &written) {
        Ok(content) if content == entity => Ok(()),
        Ok(_) => Err(Failure::Reader("another content".to_owned())),
        Err(reason) => Err(Failure::Reader(reason)),
    }
}

/// What `writer` makes of an entity in a cell.
pub fn written(cell: &Cell, writer: &dyn Peer, entity: &[u8]) -> Result {
    match &cell.layers {
        Layers::Signed(form, signature) => signed(cell, writer, entity, *form, signature),
        Layers::Enveloped(management, content) => {
            enveloped(cell, writer, entity, management, content)
        }
        Layers::Both(form, signature, management, content) => {
            let signed = signed(cell, writer, entity, *form, signature)?;
            enveloped(cell, writer, &signed, management, content)
        }
    }
}

/// What `reader` finds inside, if it calls every layer of the cell good.
pub fn read(cell: &Cell, reader: &dyn Peer, written: &[u8]) -> Result {
    let switches = cell.layers.switches();
    match &cell.layers {
        Layers::Signed(_, signature) => reader.verify(written, signature.key, &switches),
        Layers::Enveloped(management, _) => reader.decrypt(written, management.key, &switches),
        Layers::Both(_, signature, management, _) => {
            let opened = reader.decrypt(written, management.key, &switches)?;
            reader.verify(&opened, signature.key, &switches)
        }
    }
}

fn signed(
    cell: &Cell,
    writer: &dyn Peer,
    entity: &[u8],
    form: SignedForm,
    how: &Signature,
) -> Result {
    let made = writer.sign(entity, how, form, cell.encoding)?;
    expect(&made, cell.encoding, &how.oids())?;
    Ok(made)
}

fn enveloped(
    cell: &Cell,
    writer: &dyn Peer,
    entity: &[u8],
    how: &Management,
    content: &Content,
) -> Result {
    let made = writer.encrypt(entity, how, content, cell.encoding)?;
    let mut oids = how.oids();
    oids.push(content.oid);
    expect(&made, cell.encoding, &oids)?;
    Ok(made)
}

/// Whether what was written is what the cell is about: a program may have chosen something else.
fn expect(made: &[u8], wanted: Encoding, oids: &[&str]) -> Result<()> {
    let cms = parts(made)?.cms;
    let found = encoding(&cms);
    if found != wanted {
        return Err(format!("written in {found:?}"));
    }
    match oids.iter().find(|oid| !names(&cms, oid)) {
        None => Ok(()),
        Some(oid) => Err(format!("written without {oid}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::cell::SIGNATURES;
    use crate::interop::wrap::pkcs7_mime;
    use crate::keys::KeyKind;

    /// Writes SHA-256 as its object identifier, and reads what is of the writers it knows.
    struct Fake {
        name: &'static str,
        writes: bool,
        reads: &'static [&'static str],
    }

    impl Peer for Fake {
        fn name(&self) -> &'static str {
            self.name
        }

        fn sign(&self, _: &[u8], _: &Signature, _: SignedForm, _: Encoding) -> Result {
            let oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
            let cms = [&[0x30, 20], &oid[..], self.name.as_bytes()].concat();
            self.writes
                .then(|| pkcs7_mime(&cms, "signed-data"))
                .ok_or_else(String::new)
        }

        fn verify(&self, signed: &[u8], _: KeyKind, _: &[&str]) -> Result {
            let cms = parts(signed)?.cms;
            let known = self.reads.iter().any(|name| cms.ends_with(name.as_bytes()));
            known.then(entity).ok_or_else(String::new)
        }

        fn encrypt(&self, _: &[u8], _: &Management, _: &Content, _: Encoding) -> Result {
            Err(String::new())
        }

        fn decrypt(&self, _: &[u8], _: KeyKind, _: &[&str]) -> Result {
            Err(String::new())
        }
    }

    /// What a cell comes to: `passed`, `skipped` or the reason why it fails.
    fn judged(direction: Direction, peer: &Fake, ours: &Fake, skipped: bool) -> String {
        let cell = Cell {
            direction,
            layers: Layers::Signed(SignedForm::Opaque, SIGNATURES[0]),
            encoding: Encoding::Der,
        };
        let skip = Skip {
            peer: peer.name.to_owned(),
            cells: vec!["* opaque *".to_owned()],
            reason: String::new(),
        };
        let reference = Fake {
            name: "openssl",
            writes: true,
            reads: &[],
        };
        let parties = Parties {
            ours,
            peer,
            reference: &reference,
        };
        let skips = if skipped { vec![skip] } else { Vec::new() };
        match parties.judge(&cell, &skips) {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Skipped(0) => "skipped".to_owned(),
            Outcome::Skipped(_) => "skipped for another reason".to_owned(),
            Outcome::Failed(reason) => reason.split([':', ',']).next().unwrap().to_owned(),
        }
    }

    #[test]
    fn a_skip_is_no_excuse() {
        use Direction::{Read, Written};
        let peer = |writes, reads| Fake {
            name: "peer",
            writes,
            reads,
        };
        let ours = |reads| Fake {
            name: "ours",
            writes: true,
            reads,
        };
        for (direction, peer, ours, skipped, expected) in [
            (Read, peer(true, &[]), ours(&["peer"]), false, "passed"),
            (Read, peer(true, &[]), ours(&["peer"]), true, "works"),
            (Read, peer(true, &[]), ours(&[]), false, "reader"),
            (Read, peer(true, &[]), ours(&[]), true, "skipped"),
            (Read, peer(false, &[]), ours(&[]), false, "writer"),
            (Read, peer(false, &[]), ours(&[]), true, "skipped"),
            (
                Read,
                peer(true, &["peer"]),
                ours(&[]),
                true,
                "no permitted skip",
            ),
            (Written, peer(true, &["ours"]), ours(&[]), false, "passed"),
            (Written, peer(true, &["ours"]), ours(&[]), true, "works"),
            (Written, peer(false, &[]), ours(&[]), true, "skipped"),
            (
                Written,
                peer(true, &["peer"]),
                ours(&[]),
                true,
                "no permitted skip",
            ),
            (
                Written,
                peer(false, &["openssl"]),
                ours(&[]),
                true,
                "no permitted skip",
            ),
        ] {
            let found = judged(direction, &peer, &ours, skipped);
            let (writes, reads) = (peer.writes, peer.reads);
            assert_eq!(
                found, expected,
                "{direction:?} {writes} {reads:?} {skipped}"
            );
        }
    }
}
