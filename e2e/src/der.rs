//! A small writer and reader of DER, apart from the product's own code: attack mails are foreign objects taken apart, changed
//! and put together again.

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its identifier octet.
    pub tag: u8,
    /// What it holds.
    pub content: Content,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A primitive element's octets, or octets to be written as they are.
    Octets(Vec<u8>),
    /// A constructed element's parts.
    Parts(Vec<Node>),
}

impl Node {
    /// The only element of these octets, with definite lengths.
    pub fn read(octets: &[u8]) -> Self {
        let (node, rest) = read(octets);
        assert!(rest.is_empty(), "octets behind the element");
        node
    }

    /// Its octets.
    pub fn der(&self) -> Vec<u8> {
        let content = match &self.content {
            Content::Octets(octets) => octets.clone(),
            Content::Parts(parts) => parts.iter().flat_map(Self::der).collect(),
        };
        let mut out = vec![self.tag];
        if let Ok(short @ ..0x80) = u8::try_from(content.len()) {
            out.push(short);
        } else {
            let length = content.len().to_be_bytes();
            let first = length.iter().position(|octet| *octet != 0).unwrap();
            out.push(0x80 | u8::try_from(length.len() - first).unwrap());
            out.extend_from_slice(&length[first..]);
        }
        out.extend(content);
        out
    }

    /// The part reached by these places, each counted from 0.
    pub fn at(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |node, &place| {
            node.parts()
                .get_mut(place)
                .unwrap_or_else(|| panic!("nothing at {path:?}"))
        })
    }

    /// The parts of a constructed element.
    pub fn parts(&mut self) -> &mut Vec<Self> {
        match &mut self.content {
            Content::Parts(parts) => parts,
            Content::Octets(_) => panic!("{:#x} has no parts", self.tag),
        }
    }

    /// The octets of a primitive element.
    pub fn octets(&mut self) -> &mut Vec<u8> {
        match &mut self.content {
            Content::Octets(octets) => octets,
            Content::Parts(_) => panic!("{:#x} has parts", self.tag),
        }
    }
}

fn read(octets: &[u8]) -> (Node, &[u8]) {
    let tag = octets[0];
    let (head, length) = match octets[1] {
        short @ ..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            assert!(count > 0, "an indefinite length");
            let length = octets[2..2 + count]
                .iter()
                .fold(0, |length, octet| length << 8 | usize::from(*octet));
            (2 + count, length)
        }
    };
    let (own, rest) = octets[head..].split_at(length);
    if tag & 0x20 == 0 {
        let content = Content::Octets(own.to_vec());
        return (Node { tag, content }, rest);
    }
    let mut parts = Vec::new();
    let mut left = own;
    while !left.is_empty() {
        let (part, next) = read(left);
        parts.push(part);
        left = next;
    }
    let content = Content::Parts(parts);
    (Node { tag, content }, rest)
}

/// A constructed element: 0x30 is a SEQUENCE, 0x31 a SET, 0xa0 the tag `[0]`.
pub fn of(tag: u8, parts: Vec<Node>) -> Node {
    let content = Content::Parts(parts);
    Node { tag, content }
}

/// A primitive element: 2 is an INTEGER, 4 an OCTET STRING, 5 NULL.
pub fn plain(tag: u8, octets: &[u8]) -> Node {
    let content = Content::Octets(octets.to_vec());
    Node { tag, content }
}

/// A SEQUENCE.
pub fn sequence(parts: Vec<Node>) -> Node {
    of(0x30, parts)
}

/// An INTEGER below 128.
pub fn small(value: u8) -> Node {
    plain(2, &[value])
}

/// An OBJECT IDENTIFIER as it is written with dots.
pub fn oid(dotted: &str) -> Node {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut octets = vec![u8::try_from(arcs[0] * 40 + arcs[1]).unwrap()];
    for arc in &arcs[2..] {
        let mut groups = vec![u8::try_from(arc & 0x7f).unwrap()];
        let mut left = arc >> 7;
        while left > 0 {
            groups.push(0x80 | u8::try_from(left & 0x7f).unwrap());
            left >>= 7;
        }
        octets.extend(groups.iter().rev());
    }
    plain(6, &octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_again() {
        let long = plain(4, &[7; 300]);
        let node = sequence(vec![oid("1.2.840.113549.1.7.2"), of(0xa0, vec![long])]);
        let der = node.der();
        assert_eq!(
            der.get(..17).unwrap(),
            [
                0x30, 0x82, 0x01, 0x3f, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0,
                0x82
            ]
        );
        let mut again = Node::read(&der);
        assert_eq!(again, node);
        assert_eq!(again.at(&[1, 0]).octets().len(), 300);
    }
}
