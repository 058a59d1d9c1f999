//! A mail every few seconds, so that the overview of the demo that is kept moves.

use std::time::Duration;

use super::partner;
use super::past::Chance;
use super::people::{OFFICE, OUTSIDE, Outside, PEOPLE};
use super::scenario::Way;
use super::world::World;
use crate::cmd::{Done, Failure};

/// Time between two mails at first: what somebody who watches waits for.
const PAUSE: Duration = Duration::from_secs(4);
/// How many mails come so fast.
const AT_FIRST: u32 = 60;
/// Time between two mails later: as many in an hour as before the demo began.
const PAUSE_LATER: Duration = Duration::from_secs(40);

const SUBJECTS: [&str; 6] = [
    "Offer for Friday",
    "Minutes of the meeting",
    "Invoice for October",
    "Question about the contract",
    "Delivery on Tuesday",
    "Appointment",
];

/// Sends mails until it is dropped.
pub async fn run(world: &mut World) -> Done {
    let mut chance = Chance::new(2);
    let mut sent: u32 = 0;
    loop {
        let pause = if sent < AT_FIRST { PAUSE } else { PAUSE_LATER };
        tokio::time::sleep(pause).await;
        sent = sent.saturating_add(1);
        // What the gateway refuses is part of the picture.
        let _ = one(world, &mut chance).await?;
        world.forget_arrivals();
    }
}

async fn one(world: &World, chance: &mut Chance) -> Result<Result<(), String>, Failure> {
    let (Some(name), Some(other)) = (chance.of(&PEOPLE), chance.of(&OUTSIDE)) else {
        return Ok(Ok(()));
    };
    let own = format!("{name}@{OFFICE}");
    let subject = chance.of(&SUBJECTS).copied().unwrap_or_default();
    let text = "Please have a look at it until tomorrow.";
    match chance.below(2) {
        0 => {
            let mail = partner::plain(&own, other.address, subject, text);
            world.send(Way::Out, &own, &[other.address], mail).await
        }
        _ => {
            let mail = written(world, *other, (&own, subject, text))?;
            world.send(Way::In, other.address, &[&own], mail).await
        }
    }
}

/// A mail from outside, signed by whoever has a certificate.
pub fn written(
    world: &World,
    other: Outside,
    (to, subject, text): (&str, &str, &str),
) -> Result<Vec<u8>, Failure> {
    match world.outside(other.address) {
        Some(person) => person.signed(to, subject, text),
        None => Ok(partner::plain(other.address, to, subject, text)),
    }
}
