//! The last thirty days of the demo that is kept: lines of the journal, each decided by the rules that are in force.

use sealgate_core::failure::{RefusalReason, reply_for};
use sealgate_core::journal::{Direction, Line, MailRecord, MailStatus};
use sealgate_core::outcome::{
    ClientContent, InboundContent, InboundOutcome, OutboundOutcome, RecipientKey, asks_for_key,
};
use sealgate_core::settle::{self, LookedUp};
use sealgate_core::tenant::Organisation;
use sealgate_mail::{Address, ReversePath, Timestamp};
use sealgate_store::{Delivery, Store};

use super::people::{OUTSIDE, Outside};
use crate::cmd::{Done, Failure};
use crate::gateway::now;

/// Days of the past that are told.
const DAYS: i64 = 30;
/// Lines written in one transaction.
const TOGETHER: usize = 200;
const DAY: i64 = 86_400;

/// Numbers that look like chance, the same each time.
pub struct Chance(u64);

impl Chance {
    /// A row of them.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub const fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = (self.0 >> 33) as u32;
        match bound {
            0 => 0,
            bound => high % bound,
        }
    }

    /// One of `all`.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.get(self.below(count) as usize)
    }
}

type Past = (MailRecord, Line, Delivery);

/// Writes the past of `organisation`: about `daily` mails on a working day.
pub async fn tell(store: &Store, organisation: &Organisation, daily: u32) -> Done {
    let mut mailboxes: Vec<&Address> = organisation.mailboxes.keys().collect();
    mailboxes.sort_by_key(|address| address.key());
    let mut chance = Chance::new(organisation.id.0.unsigned_abs());
    let mut lines = Vec::new();
    for day in 1..=DAYS {
        let midnight = now().0 - now().0 % DAY - day * DAY;
        let weekend = midnight.div_euclid(DAY).rem_euclid(7);
        // 1970-01-01 was a Thursday.
        let share = if weekend == 2 || weekend == 3 { 8 } else { 1 };
        for _ in 0..(daily / share + chance.below(daily / 3 + 1)) {
            let hour = 7 + i64::from(chance.below(6) + chance.below(6));
            let at = Timestamp(midnight + hour * 3_600 + i64::from(chance.below(3_600)));
            let Some(own) = chance.of(&mailboxes) else {
                continue;
            };
            lines.push(one(organisation, own, at, &mut chance)?);
        }
    }
    // The last day, whatever hour and day of the week it is.
    for _ in 0..daily {
        let at = now().plus(-i64::from(chance.below(86_400)) - 600);
        if is_night(at) && chance.below(4) > 0 {
            continue;
        }
        if let Some(own) = chance.of(&mailboxes) {
            lines.push(one(organisation, own, at, &mut chance)?);
        }
    }
    while !lines.is_empty() {
        let rest = lines.split_off(lines.len().min(TOGETHER));
        store.record_mails(lines).await?;
        lines = rest;
    }
    Ok(())
}

/// Whether few people write at that time.
const fn is_night(at: Timestamp) -> bool {
    let hour = at.0.rem_euclid(DAY) / 3_600;
    hour < 6 || hour > 18
}

fn one(
    organisation: &Organisation,
    own: &Address,
    at: Timestamp,
    chance: &mut Chance,
) -> Result<Past, Failure> {
    let other = whom(chance);
    let address = Address::parse(other.address)?;
    let direction = match chance.below(2) {
        0 => Direction::Outbound,
        _ => Direction::Inbound,
    };
    let (from, line) = match direction {
        Direction::Outbound => (own, outbound(organisation, own, &address, other)),
        Direction::Inbound => (
            &address,
            inbound(organisation, own, &address, (other, chance)),
        ),
    };
    let (line, delivery) = delivered(line, chance);
    let record = MailRecord {
        organisation: organisation.id,
        direction,
        at,
        envelope_from: ReversePath::Address(from.clone()),
        header_from: Some(from.clone()),
        message_id: Some(format!(
            "<{}.{}@{}>",
            at.0,
            chance.below(1 << 30),
            from.domain().as_str()
        )),
        size: u64::from(2_000 + chance.below(400_000)),
        handed_in_by: match direction {
            Direction::Outbound => "mail server".to_owned(),
            Direction::Inbound => format!("192.0.2.{}", 1 + chance.below(200)),
        },
        sender_proven: true,
        version: 1,
    };
    Ok((record, line, delivery))
}

/// Somebody outside, each as often as their share says.
fn whom(chance: &mut Chance) -> Outside {
    let all: u32 = OUTSIDE.iter().map(|one| one.share).sum();
    let mut place = chance.below(all);
    for one in OUTSIDE {
        if place < one.share {
            return one;
        }
        place -= one.share;
    }
    OUTSIDE[0]
}

fn outbound(organisation: &Organisation, own: &Address, to: &Address, other: Outside) -> Line {
    let sender = settle::outbound_sender(organisation, Some(own), Some(own), now());
    let choice = settle::outbound_choice(organisation, &sender, to);
    let asked = choice
        .as_ref()
        .is_some_and(|choice| asks_for_key(choice.mode, None));
    let key = match (asked, other.signs) {
        (false, _) => RecipientKey::NotAsked,
        (true, true) => RecipientKey::Known,
        (true, false) => RecipientKey::Unknown,
    };
    let looked_up = LookedUp {
        key,
        content: ClientContent::Plain,
        special: None,
    };
    let settled = settle::outbound(choice, &sender, to, looked_up);
    let refusal = match settled.outcome {
        OutboundOutcome::Refuse(reason) => {
            Some(reply_for(&RefusalReason::Outbound(reason)).to_string())
        }
        _ => None,
    };
    Line {
        recipient: to.clone(),
        status: settle::outbound_status(settled.outcome, ClientContent::Plain),
        signature: None,
        encryption: None,
        trace: settled.trace,
        refusal,
    }
}

fn inbound(
    organisation: &Organisation,
    own: &Address,
    from: &Address,
    (other, chance): (Outside, &mut Chance),
) -> Line {
    let has_keys = organisation
        .mailbox(own)
        .is_some_and(|mailbox| mailbox.encryption.is_some());
    let content = match (other.signs, chance.below(10)) {
        (true, 0..4) if has_keys => InboundContent::KeyPresent,
        (true, 9) => InboundContent::NoKey,
        _ => InboundContent::Plain,
    };
    let choice = settle::inbound_choice(organisation, own, Some(from));
    let settled = settle::inbound(choice, own, Some(from), content);
    let signed = other.signs && content == InboundContent::Plain && chance.below(10) < 7;
    let decrypted = settled.outcome == InboundOutcome::DeliverDecrypted;
    let verdict = if chance.below(25) == 0 {
        "untrusted"
    } else {
        "valid"
    };
    let refusal = match settled.outcome {
        InboundOutcome::Refuse(reason) => {
            Some(reply_for(&RefusalReason::Inbound(reason)).to_string())
        }
        _ => None,
    };
    Line {
        recipient: own.clone(),
        status: settle::inbound_status(settled.outcome, signed),
        signature: (signed || decrypted).then(|| verdict.to_owned()),
        encryption: decrypted.then(|| "decrypted-authenticated".to_owned()),
        trace: settled.trace,
        refusal,
    }
}

/// Most mail arrives; a next hop now and then does not take it.
fn delivered(line: Line, chance: &mut Chance) -> (Line, Delivery) {
    if line.refusal.is_some() {
        return (line, Delivery::Refused);
    }
    if chance.below(60) > 0 {
        return (line, Delivery::Delivered);
    }
    let failed = Line {
        status: MailStatus::Failed,
        ..line
    };
    (failed, Delivery::Failed)
}
