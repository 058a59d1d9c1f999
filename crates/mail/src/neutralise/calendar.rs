//! A calendar object (RFC 5545) written anew with the properties that say what happens when, where and with whom, and no
//! other: attachments, pictures and links that lie elsewhere go, and so does a description that is a page of HTML.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::html::Finding;
use crate::limits::{CALENDAR_COLUMNS, CALENDAR_LINE_OCTETS};

/// Properties whose values are text, times, numbers or people, in order (RFC 5545 section 3.7 and 3.8, RFC 7986, and those
/// by which calendars know the state of a meeting).
const PROPERTIES: &[&str] = &[
    "ACTION",
    "ATTENDEE",
    "BEGIN",
    "CALSCALE",
    "CATEGORIES",
    "CLASS",
    "COLOR",
    "COMMENT",
    "COMPLETED",
    "CONTACT",
    "CREATED",
    "DESCRIPTION",
    "DTEND",
    "DTSTAMP",
    "DTSTART",
    "DUE",
    "DURATION",
    "END",
    "EXDATE",
    "EXRULE",
    "FREEBUSY",
    "GEO",
    "LAST-MODIFIED",
    "LOCATION",
    "METHOD",
    "NAME",
    "ORGANIZER",
    "PERCENT-COMPLETE",
    "PRIORITY",
    "PRODID",
    "RDATE",
    "RECURRENCE-ID",
    "RELATED-TO",
    "REPEAT",
    "REQUEST-STATUS",
    "RESOURCES",
    "RRULE",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "TRANSP",
    "TRIGGER",
    "TZID",
    "TZNAME",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "UID",
    "VERSION",
    "X-LIC-LOCATION",
    "X-MICROSOFT-CDO-ALLDAYEVENT",
    "X-MICROSOFT-CDO-APPT-SEQUENCE",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "X-MICROSOFT-CDO-IMPORTANCE",
    "X-MICROSOFT-CDO-INSTTYPE",
    "X-MICROSOFT-CDO-INTENDEDSTATUS",
    "X-MICROSOFT-CDO-OWNERAPPTID",
    "X-MICROSOFT-DISALLOW-COUNTER",
    "X-MICROSOFT-DONOTFORWARDMEETING",
    "X-WR-CALDESC",
    "X-WR-CALNAME",
    "X-WR-TIMEZONE",
];

/// Parameters that name nothing outside the calendar but people, in order (RFC 5545 section 3.2).
const PARAMETERS: &[&str] = &[
    "CN",
    "CUTYPE",
    "DELEGATED-FROM",
    "DELEGATED-TO",
    "EMAIL",
    "FBTYPE",
    "LANGUAGE",
    "MEMBER",
    "PARTSTAT",
    "RANGE",
    "RELATED",
    "RELTYPE",
    "ROLE",
    "RSVP",
    "SCHEDULE-AGENT",
    "SENT-BY",
    "TZID",
    "VALUE",
];

/// Properties that name a person by an address (RFC 5545 section 3.3.3).
const PEOPLE: [&str; 2] = ["ATTENDEE", "ORGANIZER"];

/// Reads the UTF-8 text `calendar` and writes to `out` what may stay of it.
pub(super) fn cleaned(calendar: impl Read, out: &mut dyn Write) -> io::Result<Finding> {
    let mut source = BufReader::new(calendar);
    let mut cleaner = Cleaner {
        out,
        finding: Finding::default(),
        line: Vec::new(),
    };
    let mut physical = Vec::new();
    // Where a line is longer than is read at once, what comes is the rest of it.
    let mut goes_on = false;
    loop {
        physical.clear();
        let mut piece = (&mut source).take(CALENDAR_LINE_OCTETS);
        if piece.read_until(b'\n', &mut physical)? == 0 {
            cleaner.end_line()?;
            return Ok(cleaner.finding);
        }
        cleaner.physical(&physical, goes_on)?;
        goes_on = !physical.ends_with(b"\n");
    }
}

struct Cleaner<'o> {
    out: &'o mut dyn Write,
    finding: Finding,
    /// The line that is being read, unfolded.
    line: Vec<u8>,
}

impl Cleaner<'_> {
    /// Takes a line as it is written: one of its own, or one that goes on with the last (RFC 5545 section 3.1).
    fn physical(&mut self, physical: &[u8], goes_on: bool) -> io::Result<()> {
        let text = physical.strip_suffix(b"\n").unwrap_or(physical);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match text.split_first() {
            _ if goes_on => self.push(text),
            Some((b' ' | b'\t', rest)) => self.push(rest),
            _ => {
                self.end_line()?;
                self.push(text);
            }
        }
        Ok(())
    }

    /// Appends to the line; one octet beyond the limit tells that it is too long.
    fn push(&mut self, text: &[u8]) {
        let most = usize::try_from(CALENDAR_LINE_OCTETS).unwrap_or(usize::MAX);
        let room = most.saturating_add(1).saturating_sub(self.line.len());
        self.line
            .extend_from_slice(text.get(..room).unwrap_or(text));
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(());
        }
        let too_long = u64::try_from(line.len()).unwrap_or(u64::MAX) > CALENDAR_LINE_OCTETS;
        let line = String::from_utf8_lossy(&line);
        match Line::parse(&line)
            .filter(|_| !too_long)
            .and_then(Line::judged)
        {
            Some((kept, removed)) => {
                self.finding.removed = self.finding.removed.saturating_add(removed);
                self.finding.doubtful |= kept != line;
                write_folded(&kept, self.out)
            }
            None => {
                self.finding.removed = self.finding.removed.saturating_add(1);
                Ok(())
            }
        }
    }
}

/// `contentline = name *(";" param) ":" value` (RFC 5545 section 3.1).
struct Line<'t> {
    name: String,
    parameters: Vec<&'t str>,
    value: &'t str,
}

impl<'t> Line<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut start = 0usize;
        let mut is_quoted = false;
        for (at, c) in text.char_indices() {
            match c {
                '"' => is_quoted = !is_quoted,
                ';' | ':' if !is_quoted => {
                    pieces.push(text.get(start..at)?);
                    start = at.saturating_add(1);
                    if c == ':' {
                        let name = pieces.remove(0).to_ascii_uppercase();
                        let value = text.get(start..)?;
                        let parameters = pieces;
                        return Some(Self {
                            name,
                            parameters,
                            value,
                        });
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The line as it may stay, and how much of it was taken out.
    fn judged(self) -> Option<(String, usize)> {
        let known = |table: &[&str], name: &str| table.binary_search(&name).is_ok();
        if !known(PROPERTIES, &self.name) {
            return None;
        }
        if PEOPLE.contains(&self.name.as_str()) && !is_person(self.value) {
            return None;
        }
        let mut kept = self.name;
        let mut removed = 0usize;
        for parameter in self.parameters {
            let name = parameter.split('=').next().unwrap_or_default();
            let name = name.to_ascii_uppercase();
            let is_address = name == "VALUE" && parameter.to_ascii_uppercase().contains("URI");
            if known(PARAMETERS, &name) && !is_address {
                kept = kept + ";" + &without_markup(parameter);
            } else {
                removed = removed.saturating_add(1);
            }
        }
        let value = without_markup(self.value);
        removed = removed.saturating_add(usize::from(value != self.value));
        Some((kept + ":" + &value, removed))
    }
}

fn is_person(value: &str) -> bool {
    let value = value.trim_start().to_ascii_lowercase();
    ["mailto:", "invalid:", "urn:"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}

/// Text that is no markup, also for a program that takes it for HTML and drops backslashes, and without controls.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_bracket = false;
    for c in text.chars().filter(|c| *c == '\t' || !c.is_control()) {
        if after_bracket && (c.is_ascii_alphabetic() || "/!?\\".contains(c)) {
            out.push(' ');
        }
        out.push(c);
        after_bracket = c == '<';
    }
    out
}

/// Writes a line, folded (RFC 5545 section 3.1).
fn write_folded(line: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut column = 0usize;
    let mut octets = [0; 4];
    for c in line.chars() {
        let c = c.encode_utf8(&mut octets).as_bytes();
        if column.saturating_add(c.len()) > CALENDAR_COLUMNS {
            out.write_all(b"\r\n ")?;
            column = 1;
        }
        out.write_all(c)?;
        column = column.saturating_add(c.len());
    }
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(calendar: &str) -> (String, Finding) {
        let mut out = Vec::new();
        let finding = cleaned(calendar.as_bytes(), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), finding)
    }

    #[test]
    fn tables_are_in_order() {
        assert!(PROPERTIES.is_sorted() && PARAMETERS.is_sorted());
    }

    #[test]
    fn what_a_line_may_say() {
        let gone = ("", 1);
        let table = [
            ("SUMMARY:Gr\u{fc}\u{df}e", ("SUMMARY:Gr\u{fc}\u{df}e", 0)),
            ("summary;language=de:x", ("SUMMARY;language=de:x", 0)),
            (
                "DTSTART;TZID=\"a;b:c\":20260101T000000",
                ("DTSTART;TZID=\"a;b:c\":20260101T000000", 0),
            ),
            (
                "ORGANIZER;CN=A;DIR=\"http://x/\":mailto:a@b.example",
                ("ORGANIZER;CN=A:mailto:a@b.example", 1),
            ),
            ("ATTENDEE:http://x/", gone),
            ("ATTACH:http://x/", gone),
            (
                "ATTACH;FMTTYPE=text/html;ENCODING=BASE64;VALUE=BINARY:AAAA",
                gone,
            ),
            ("ATT\r\n ACH:http://x/", gone),
            ("X-ALT-DESC;FMTTYPE=text/html:<img src=http://x/>", gone),
            ("STYLED-DESCRIPTION;VALUE=URI:http://x/", gone),
            ("IMAGE;VALUE=URI:http://x/", gone),
            ("URL:http://x/", gone),
            ("TZURL:http://x/", gone),
            ("CONFERENCE;VALUE=URI:http://x/", gone),
            (
                "DESCRIPTION;ALTREP=\"http://x/\":text",
                ("DESCRIPTION:text", 1),
            ),
            (
                "DESCRIPTION;ALTREP=\"data:text/html,<img src='http://x/'>\":text",
                ("DESCRIPTION:text", 1),
            ),
            ("DESCRIPTION;VALUE=URI:text", ("DESCRIPTION:text", 1)),
            (
                "DESCRIPTION:<img src=http://x/>",
                ("DESCRIPTION:< img src=http://x/>", 1),
            ),
            ("DESCRIPTION:1 < 2 and <3", ("DESCRIPTION:1 < 2 and <3", 0)),
            // A reader that drops a backslash wherever it stands.
            (
                "DESCRIPTION:<\\img src=http://x/>",
                ("DESCRIPTION:< \\img src=http://x/>", 1),
            ),
            ("LOCATION:x\u{1}y", ("LOCATION:xy", 1)),
            ("no line of a calendar", gone),
            ("SUMMARY;CN=\"x:y", gone),
            ("", ("", 0)),
        ];
        for (line, (kept, removed)) in table {
            let (out, finding) = found(&format!("{line}\r\n"));
            assert_eq!((out.trim_end(), finding.removed), (kept, removed), "{line}");
            assert_eq!(found(&out), (out.clone(), Finding::default()), "{line}");
        }
    }

    #[test]
    fn lines_are_folded_and_bounded() {
        let long = format!("DESCRIPTION:{}\n", "\u{fc}".repeat(100));
        let (out, _) = found(&long);
        assert!(
            out.lines().count() == 3 && out.lines().all(|line| line.len() <= 75),
            "{out}"
        );
        assert_eq!(out.replace("\r\n ", "").trim_end(), long.trim_end());
        let most = usize::try_from(CALENDAR_LINE_OCTETS).unwrap();
        for text in [
            format!("SUMMARY:{}", "x".repeat(most)),
            format!("SUMMARY:x{}", "\r\n xxxxxxx".repeat(most / 7)),
            format!("SUMMARY:x\r\n {}", "\u{fc}".repeat(most)),
        ] {
            let (out, finding) = found(&format!("{text}\r\nUID:u\r\n"));
            assert_eq!((out.as_str(), finding.removed), ("UID:u\r\n", 1));
        }
    }
}
