//! Points in time as an argument, and their RFC 5322 and RFC 3339 forms.

use serde::{Deserialize, Serialize};

use crate::limits::COMMENT_DEPTH;

/// Seconds since 1970-01-01T00:00:00Z. The pure crates never ask a clock; they are told.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

const DAY: i64 = 86_400;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// The years both written forms can hold: 0000-01-01 to 9999-12-31.
const RANGE: (i64, i64) = (-62_167_219_200, 253_402_300_799);

/// A calendar date and time of day in UTC.
struct Civil {
    year: i64,
    month: u32,
    day: u32,
    second_of_day: i64,
}

impl Timestamp {
    /// `seconds` later (negative: earlier), saturating.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The date-time of a header field in UTC, e.g. `Thu, 01 Jan 1970 00:00:00 +0000` (RFC 5322 section 3.3).
    /// Times outside the years 0 to 9999 are cut to them.
    pub fn rfc5322(self) -> String {
        let civil = self.civil();
        let name = |names: &[&'static str], index: i64| {
            usize::try_from(index)
                .ok()
                .and_then(|i| names.get(i))
                .copied()
                .unwrap_or_default()
        };
        let (h, m, s) = clock(civil.second_of_day);
        format!(
            "{}, {:02} {} {:04} {h:02}:{m:02}:{s:02} +0000",
            name(&DAYS, self.cut().div_euclid(DAY).rem_euclid(7)),
            civil.day,
            name(&MONTHS, i64::from(civil.month).saturating_sub(1)),
            civil.year,
        )
    }

    /// The form for logs and interfaces, e.g. `1970-01-01T00:00:00Z` (RFC 3339 section 5.6).
    /// Times outside the years 0 to 9999 are cut to them.
    pub fn rfc3339(self) -> String {
        let civil = self.civil();
        let (h, m, s) = clock(civil.second_of_day);
        format!(
            "{:04}-{:02}-{:02}T{h:02}:{m:02}:{s:02}Z",
            civil.year, civil.month, civil.day
        )
    }

    /// Reads the value of a Date field, with comments, the obsolete zones and two-digit years (RFC 5322 sections 3.3, 4.3).
    /// The day name is not compared with the date. `None` if it is no date.
    pub fn parse_rfc5322(value: &[u8]) -> Option<Self> {
        let text = without_comments(value)?.replace(',', " , ");
        let mut words = text.split_ascii_whitespace().peekable();
        if words.peek()?.starts_with(|c: char| c.is_ascii_alphabetic()) {
            words.next()?;
            words.next().filter(|comma| *comma == ",")?;
        }
        let day = number(words.next()?, 1..=2)?;
        let month = month_number(words.next()?)?;
        let year = full_year(words.next()?)?;
        let time = time_of_day(words.next()?)?;
        let zone = words.next().map_or(Some(0), zone_seconds)?;
        if words.next().is_some() {
            return None;
        }
        let days = days_from_civil(year, month, u32::try_from(day).ok()?)?;
        Some(Self(
            days.checked_mul(DAY)?
                .checked_add(time)?
                .checked_sub(zone)?,
        ))
    }

    /// Reads an RFC 3339 date-time such as `2026-11-22T04:05:06Z` or with `.25` and `+01:00`; fractions are dropped.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let mut parts = date.split('-');
        let year = number(parts.next()?, 4..=4)?;
        let month = u32::try_from(number(parts.next()?, 2..=2)?).ok()?;
        let day = u32::try_from(number(parts.next()?, 2..=2)?).ok()?;
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (time, rest) = rest.split_at_checked(8)?;
        let fraction = rest
            .strip_prefix('.')
            .map(|r| r.trim_start_matches(|c: char| c.is_ascii_digit()));
        let zone = match fraction.unwrap_or(rest) {
            "Z" | "z" => 0,
            offset if offset.starts_with(['+', '-']) => {
                let (hours, minutes) = offset.split_once(':')?;
                zone_seconds(&format!("{hours}{minutes}"))?
            }
            _ => return None,
        };
        let days = days_from_civil(year, month, day)?;
        Some(Self(
            days.checked_mul(DAY)?
                .checked_add(time_of_day(time)?)?
                .checked_sub(zone)?,
        ))
    }

    fn cut(self) -> i64 {
        self.0.clamp(RANGE.0, RANGE.1)
    }

    fn civil(self) -> Civil {
        let seconds = self.cut();
        let (year, month, day) = civil_from_days(seconds.div_euclid(DAY));
        Civil {
            year,
            month,
            day,
            second_of_day: seconds.rem_euclid(DAY),
        }
    }
}

/// Hour, minute and second of a second of the day.
fn clock(second_of_day: i64) -> (i64, i64, i64) {
    (
        second_of_day / 3600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    )
}

/// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
/// Years are counted from March, so that the leap day is the last one; a cycle of 400 years has 146,097 days.
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let from_march_0000 = days.saturating_add(719_468);
    let cycle = from_march_0000.div_euclid(146_097);
    let day_of_cycle = from_march_0000.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    (
        year,
        u32::try_from(month).unwrap_or(1),
        u32::try_from(day).unwrap_or(1),
    )
}

/// The inverse of `civil_from_days`; `None` if there is no such date.
fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let from_march = if month > 2 { year } else { year - 1 };
    let cycle = from_march.div_euclid(400);
    let year_of_cycle = from_march.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    let days = cycle * 146_097 + day_of_cycle - 719_468;
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let sound = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse().ok() } else { None }
}

fn month_number(text: &str) -> Option<u32> {
    let index = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))?;
    u32::try_from(index.checked_add(1)?).ok()
}

/// RFC 5322 section 4.3: two digits below 50 mean 20xx, other two and three digits are counted from 1900.
fn full_year(text: &str) -> Option<i64> {
    let year = number(text, 2..=4)?;
    Some(match (text.len(), year) {
        (2, 0..=49) => year + 2000,
        (2 | 3, _) => year + 1900,
        _ => year,
    })
}

/// `hh:mm` or `hh:mm:ss`; a leap second counts as the one before it.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = number(parts.next()?, 1..=2)?;
    let minutes = number(parts.next()?, 2..=2)?;
    let seconds = parts.next().map_or(Some(0), |s| number(s, 2..=2))?;
    let sound = hours < 24 && minutes < 60 && seconds <= 60 && parts.next().is_none();
    sound.then(|| hours * 3600 + minutes * 60 + seconds.min(59))
}

/// Seconds east of UTC. Letters other than the American zones count as UTC (RFC 5322 section 4.3).
fn zone_seconds(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix(['+', '-']) {
        let value = number(digits, 4..=4)?;
        let seconds = (value / 100).min(99) * 3600 + value % 100 * 60;
        return (value % 100 < 60).then_some(if text.starts_with('-') {
            -seconds
        } else {
            seconds
        });
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        letters if letters.len() <= 5 && letters.bytes().all(|b| b.is_ascii_uppercase()) => 0,
        _ => return None,
    };
    Some(hours * 3600)
}

/// `value` with each comment replaced by a blank (RFC 5322 section 3.2.2); `None` if they do not end or nest too deep.
fn without_comments(value: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut depth = 0usize;
    let mut bytes = value.iter().copied();
    while let Some(b) = bytes.next() {
        match b {
            b'(' if depth < COMMENT_DEPTH => depth = depth.saturating_add(1),
            b'(' => return None,
            b')' => {
                depth = depth.checked_sub(1)?;
                out.push(' ');
            }
            b'\\' if depth > 0 => {
                bytes.next()?;
            }
            _ if depth == 0 => out.push(char::from(b)),
            _ => {}
        }
    }
    (depth == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        let table = [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
            (
                951_782_400,
                "Tue, 29 Feb 2000 00:00:00 +0000",
                "2000-02-29T00:00:00Z",
            ),
            (
                1_795_320_306,
                "Sun, 22 Nov 2026 04:05:06 +0000",
                "2026-11-22T04:05:06Z",
            ),
            (
                -1,
                "Wed, 31 Dec 1969 23:59:59 +0000",
                "1969-12-31T23:59:59Z",
            ),
            (
                4_107_542_400,
                "Mon, 01 Mar 2100 00:00:00 +0000",
                "2100-03-01T00:00:00Z",
            ),
            (
                253_402_300_799,
                "Fri, 31 Dec 9999 23:59:59 +0000",
                "9999-12-31T23:59:59Z",
            ),
        ];
        for (seconds, field, log) in table {
            let at = Timestamp(seconds);
            assert_eq!(at.rfc5322(), field);
            assert_eq!(at.rfc3339(), log);
            assert_eq!(Timestamp::parse_rfc5322(field.as_bytes()), Some(at));
            assert_eq!(Timestamp::parse_rfc3339(log), Some(at));
        }
        assert_eq!(Timestamp(i64::MAX).rfc3339(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp(i64::MIN).rfc3339(), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn dates_as_clients_write_them() {
        let at = Some(Timestamp(1_795_320_306));
        let table: [(&str, Option<Timestamp>); 17] = [
            ("22 Nov 2026 04:05:06 +0000", at),
            ("Sun, 22 Nov 2026 05:05:06 +0100 (CET)", at),
            (" Sun , 22 nov 2026 04:05:06 GMT", at),
            ("Sat, 21 Nov 26 23:05:06 EST", at),
            ("Sun, 22 Nov 2026\r\n 04:05:06 -0000", at),
            ("Sun,22 Nov 2026 04:05:06 Z", at),
            (
                "Sun, 22 Nov 2026 04:05 +0000",
                Some(Timestamp(1_795_320_300)),
            ),
            ("Sun, 22 Nov 2026 04:05:06", at),
            ("1 Jan 99 00:00:00 +0000", Some(Timestamp(915_148_800))),
            ("30 Feb 2026 00:00:00 +0000", None),
            ("29 Feb 2100 00:00:00 +0000", None),
            ("Sun 22 Nov 2026 04:05:06 +0000", None),
            ("22 Nov 2026 24:00:00 +0000", None),
            ("22 Nov 2026 04:05:06 +0060", None),
            ("22 Nov 2026 04:05:06 +0000 x", None),
            ("((((22 Nov", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(
                Timestamp::parse_rfc5322(text.as_bytes()),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn rfc3339_offsets_and_junk() {
        let at = Some(Timestamp(1_795_320_306));
        assert_eq!(Timestamp::parse_rfc3339("2026-11-22T05:05:06.25+01:00"), at);
        assert_eq!(Timestamp::parse_rfc3339("2026-11-22 04:05:06z"), at);
        for bad in [
            "",
            "2026-11-22",
            "2026-13-01T00:00:00Z",
            "2026-11-22T04:05:06",
            "2026-11-22T04:05:06+1",
            "é026-11-22T0",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_day_of_800_years_comes_back() {
        for days in -292_194..=0 {
            let (year, month, day) = civil_from_days(days + 146_097);
            assert_eq!(days_from_civil(year, month, day), Some(days + 146_097));
        }
    }
}
