//! `demo`: a gateway, an organisation, a partner and two mail servers on loopback; mails through it over SMTP, and a
//! table of what came in, which rule decided and what went out. It judges only the octets read back from the mail servers.

mod living;
mod partner;
mod past;
mod people;
mod scenario;
mod sink;
mod tail;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use scenario::{Expect, Step, Way};
use serde::Serialize;
use world::World;

use crate::cmd::{DemoArgs, Done, Failure, Output, table};

/// How long the demo waits for a mail to arrive; it takes milliseconds unless something is wrong.
const ARRIVAL: Duration = Duration::from_secs(20);

/// One line of the table: one recipient of one mail.
#[derive(Serialize)]
struct Row {
    number: usize,
    came_in: &'static str,
    from: &'static str,
    to: &'static str,
    rule: String,
    went_out: String,
    file: Option<PathBuf>,
    as_expected: bool,
}

/// Runs the demo; fails if a mail did not come out as its rule says.
pub async fn demo(arguments: &DemoArgs, output: Output) -> Done {
    let mut world = World::start(arguments.directory.as_deref(), arguments.keep).await?;
    let mut rows = Vec::new();
    for (index, step) in scenario::steps().iter().enumerate() {
        rows.extend(run(&mut world, index, step).await?);
    }
    let unexpected = world.unexpected();
    output.show(&rows, |rows| human(rows, &world))?;
    let wrong = rows.iter().filter(|row| !row.as_expected).count();
    if arguments.keep {
        let sign_in = living::furnish(&mut world).await?;
        world.keep(&sign_in, output).await?;
    }
    world.stop().await;
    match (wrong, unexpected) {
        (0, 0) => Ok(()),
        (0, more) => Err(Failure::new(format_args!(
            "{more} mails arrived that should not have"
        ))),
        (wrong, _) => Err(Failure::new(format_args!(
            "{wrong} of {} copies did not come out as their rule says",
            rows.len()
        ))),
    }
}

async fn run(world: &mut World, index: usize, step: &Step) -> Result<Vec<Row>, Failure> {
    let mail = scenario::mail(index, step, &world.keys())?;
    let reply = world.send(step.way, step.from, &step.to, mail).await?;
    let mut rows = Vec::new();
    for (to, expect) in step.to.iter().zip(&step.expect) {
        let (went_out, file, as_expected) = outcome(world, step, to, *expect, &reply).await?;
        rows.push(Row {
            number: index.saturating_add(1),
            came_in: step.what,
            from: step.from,
            to,
            rule: world.deciding_rule(to).await?,
            went_out,
            file,
            as_expected,
        });
    }
    Ok(rows)
}

/// What came of one recipient's copy: words for the table, the file, and whether it is what was expected.
async fn outcome(
    world: &mut World,
    step: &Step,
    to: &str,
    expect: Expect,
    reply: &world::Answer,
) -> Result<(String, Option<PathBuf>, bool), Failure> {
    match (expect, reply) {
        (Expect::Refused, Err(refusal)) => Ok((format!("refused: {}", code(refusal)), None, true)),
        (_, Err(refusal)) => Ok((
            format!("refused, and should not be: {refusal}"),
            None,
            false,
        )),
        (Expect::Refused, Ok(())) => Ok((
            "accepted, and should have been refused".to_owned(),
            None,
            false,
        )),
        (Expect::Held, Ok(())) => {
            let held = world.wait_until_held().await?;
            Ok((
                if held {
                    "held: could not be decrypted"
                } else {
                    "not held"
                }
                .to_owned(),
                None,
                held,
            ))
        }
        (expect, Ok(())) => {
            let arrived = world.arrival(step.way, to).await;
            let Some(arrived) = arrived else {
                return Ok(("did not arrive".to_owned(), None, false));
            };
            let octets = std::fs::read(&arrived.file)?;
            let judged = scenario::judge(expect, &octets, &world.partner, &world.office_root);
            let as_expected = judged.is_ok();
            Ok((
                judged.map_or_else(|wrong| wrong, |()| words(expect).to_owned()),
                Some(arrived.file),
                as_expected,
            ))
        }
    }
}

/// Reply code and enhanced status, without the text.
fn code(refusal: &str) -> String {
    refusal.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

const fn words(expect: Expect) -> &'static str {
    match expect {
        Expect::Plain => "plain",
        Expect::Signed => "signed, signature valid",
        Expect::SignedEncrypted => "signed and encrypted",
        Expect::Decrypted => "decrypted, signature inside valid",
        Expect::BrokenSignature => "marked: signature broken",
        Expect::Refused => "refused",
        Expect::Held => "held",
    }
}

fn human(rows: &[Row], world: &World) -> String {
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            let mark = if row.as_expected { "" } else { "WRONG: " };
            let file = row
                .file
                .as_ref()
                .map(|file| world.short(file))
                .unwrap_or_default();
            vec![
                row.number.to_string(),
                row.came_in.to_owned(),
                row.rule.clone(),
                format!("{mark}{}", row.went_out),
                file,
            ]
        })
        .collect();
    let right = rows.iter().filter(|row| row.as_expected).count();
    format!(
        "Rules of the organisation:\n\n{}\nMails handed in over SMTP, and what was read back from the mail servers behind the gateway:\n\n{}\n{right} of {} copies came out as their rule says. The files are in {}\n",
        world.rules(),
        table(&["", "CAME IN", "DECIDED BY", "WENT OUT", "FILE"], &cells),
        rows.len(),
        world.directory().display()
    )
}

/// Where the copies of a way arrive.
fn arrives_at(way: Way) -> &'static str {
    match way {
        Way::Out => "internet",
        Way::In => "office",
    }
}
