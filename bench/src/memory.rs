//! How much the process grows for one mail, each in a process of its own, beside `openssl cms`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Failed;
use crate::cast::{Cast, write_mail};

/// The most that a process may grow (row G10 of the performance goals), in KiB.
const MOST: u64 = 32 * 1024;
/// The mails: what many servers let through, and what the largest do; in octets.
const MAILS: [u64; 2] = [25_000_000, 144_000_000];
/// A mail that needs no memory worth naming: what a process has grown by is what it needs beyond this one's.
const SMALL: u64 = 1_000;
/// How often a foreign process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What one process does.
const WAYS: [&str; 2] = ["sign+encrypt", "decrypt+verify"];

/// Prints the growth of each; an error if ours grows by more than it may.
pub fn run(directory: &Path) -> Result<(), Failed> {
    Cast::new()?.write(directory)?;
    println!(
        "growth of the process for one mail, in MiB; at most {}\n",
        MOST / 1024
    );
    println!("     octets  operation         ours   openssl cms");
    let mut grown = Vec::new();
    write_mail(&directory.join("mail"), SMALL)?;
    // Decrypting comes second and finds what encrypting has left.
    let base = [openssl(directory, WAYS[0])?, openssl(directory, WAYS[1])?];
    for octets in MAILS {
        write_mail(&directory.join("mail"), octets)?;
        for (way, base) in WAYS.into_iter().zip(base) {
            let ours = in_a_process(directory, way)?;
            let theirs = openssl(directory, way)?.saturating_sub(base);
            let verdict = if ours <= MOST { "" } else { "  too much" };
            println!(
                "{octets:>11}  {way:14} {:>7.1} {:>13.1}{verdict}",
                ours as f64 / 1024.0,
                theirs as f64 / 1024.0
            );
            grown.push(ours);
        }
    }
    match grown.into_iter().all(|ours| ours <= MOST) {
        true => Ok(()),
        false => Err("the engine grows by more than it may".into()),
    }
}

/// Our side in a process of its own; how much it has grown, in KiB.
fn in_a_process(directory: &Path, way: &str) -> Result<u64, Failed> {
    let output = Command::new(std::env::current_exe()?)
        .arg("memory-of")
        .arg(directory)
        .arg(way)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{way}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// What [`in_a_process`] starts: prints how much this process grows, in KiB.
pub fn one(directory: &Path, way: &str) -> Result<(), Failed> {
    let file = |name: &str| directory.join(name);
    let engine = Cast::read(directory)?.engine()?;
    let before = status("self", "VmRSS")?;
    if way == WAYS[0] {
        engine.sign_and_encrypt(&file("mail"), &file("encrypted"))?;
    } else {
        engine.decrypt(&file("encrypted"), &file("signed"))?;
        engine.verify(&file("signed"))?;
    }
    println!("{}", status("self", "VmHWM")?.saturating_sub(before));
    Ok(())
}

/// A line of a process's status, in KiB.
fn status(process: &str, name: &str) -> Result<u64, Failed> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    Ok(number.ok_or("no such line")?.parse()?)
}

/// The same with the `openssl` program; the largest of its processes, in KiB.
fn openssl(directory: &Path, way: &str) -> Result<u64, Failed> {
    let both = |first: &str, second: &str| -> Result<u64, Failed> {
        Ok(peak(directory, first)?.max(peak(directory, second)?))
    };
    if way == WAYS[0] {
        both(
            "cms -sign -stream -in mail -signer certificate.pem -inkey key.pem -out signed",
            "cms -encrypt -stream -aes256 -in signed -out encrypted certificate.pem",
        )
    } else {
        both(
            "cms -decrypt -in encrypted -recip certificate.pem -inkey key.pem -out signed",
            "cms -verify -in signed -CAfile root.pem -out out",
        )
    }
}

/// The largest size of one run of `openssl`, as far as looking at it again and again shows, in KiB.
fn peak(directory: &Path, line: &str) -> Result<u64, Failed> {
    let mut child = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(directory)
        .stderr(Stdio::null())
        .spawn()?;
    let mut most = 0;
    loop {
        // The status of a process that has ended has no such line.
        most = status(&child.id().to_string(), "VmHWM")
            .unwrap_or(0)
            .max(most);
        if let Some(ended) = child.try_wait()? {
            return match ended.success() {
                true => Ok(most),
                false => Err(format!("openssl {line}: {ended}").into()),
            };
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
