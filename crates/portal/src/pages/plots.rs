//! Plots: where the bars stand. They are written as SVG by templates, with classes for colours, a title for each bar, and the same
//! numbers in a table.

use sealgate_core::journal::MailStatus;

use crate::lang;
use crate::office::overview::{MailCounts, WeekEnding};
use crate::shapes;
use crate::terms::mail_status;
use crate::view::View;

/// Width of a plot in its own units.
pub const WIDTH: usize = 480;
/// Height of a lane.
pub const HEIGHT: usize = 32;

/// A lane of bars with a word before it and a sum behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its word.
    pub word: String,
    /// Shape beside the word.
    pub shape: &'static str,
    /// Class of its colour.
    pub class: &'static str,
    /// Its bars, one for each stretch of time that has any.
    pub bars: Vec<Bar>,
    /// The sum.
    pub sum: u64,
}

/// A bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// What it says.
    pub title: String,
}

/// The lanes of mails over time, one for each status that was met; all have the same scale. Times are written by `word`.
pub fn mails(
    view: &View,
    counts: &[MailCounts],
    word: impl Fn(&MailCounts) -> String,
) -> Vec<Lane> {
    let all = counts.iter().flat_map(|stretch| &stretch.counts);
    let most = all.map(|count| count.mails).max().unwrap_or(0);
    let lane = |status: &MailStatus| {
        let values: Vec<(String, u64)> = counts
            .iter()
            .map(|stretch| (word(stretch), stretch.of(*status)))
            .collect();
        Lane {
            word: mail_status(*status, view.language).to_owned(),
            shape: shapes::mail_status(*status),
            class: class(*status),
            bars: bars(view, &values, most),
            sum: values.iter().map(|(_, value)| value).sum(),
        }
    };
    let lanes = MailStatus::ALL.iter().map(lane);
    lanes.filter(|lane| lane.sum > 0).collect()
}

/// The lane of certificates that end in the weeks ahead.
pub fn expiries(view: &View, weeks: &[WeekEnding]) -> Lane {
    let values: Vec<(String, u64)> = weeks
        .iter()
        .map(|week| (view.date(&week.from.0), week.certificates))
        .collect();
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
    Lane {
        word: view.t("overview-certificates-ending"),
        shape: shapes::INFO,
        class: "s2",
        bars: bars(view, &values, most),
        sum: values.iter().map(|(_, value)| value).sum(),
    }
}

const fn class(status: MailStatus) -> &'static str {
    match status {
        MailStatus::SignedEncrypted | MailStatus::Encrypted => "s1",
        MailStatus::Signed | MailStatus::Challenge => "s2",
        MailStatus::Waiting => "s3",
        MailStatus::Decrypted => "s4",
        MailStatus::Failed => "s5",
        MailStatus::Plain => "s6",
    }
}

/// Bars of equal width from left to right. What is not nothing is seen, however small.
fn bars(view: &View, values: &[(String, u64)], most: u64) -> Vec<Bar> {
    let step = WIDTH.checked_div(values.len()).unwrap_or(WIDTH);
    let bar = |(place, (word, value)): (usize, &(String, u64))| {
        let scaled = u128::from(*value)
            .saturating_mul(HEIGHT as u128)
            .checked_div(u128::from(most))
            .and_then(|height| usize::try_from(height).ok());
        let height = scaled.unwrap_or(0).clamp(2, HEIGHT);
        Bar {
            x: place.saturating_mul(step).saturating_add(1),
            y: HEIGHT.saturating_sub(height),
            width: step.saturating_sub(2).max(1),
            height,
            title: format!(
                "{word}: {}",
                lang::number(view.language, &value.to_string())
            ),
        }
    };
    let all = values.iter().enumerate();
    all.filter(|(_, (_, value))| *value > 0).map(bar).collect()
}
