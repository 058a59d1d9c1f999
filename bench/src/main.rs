//! Speed, memory and timing of the S/MIME engine. `cargo xtask bench` and `cargo xtask timing` build and start this.

mod cast;
mod chance;
mod libcrypto;
mod memory;
mod ours;
mod place;
mod speed;
mod statistics;
mod timing;

use std::path::Path;
use std::process::ExitCode;

use place::Place;

/// Why a run ended without its result, or with a bad one.
type Failed = Box<dyn std::error::Error>;

const USAGE: &str = "\
usage: sealgate-bench smime                                speed beside libcrypto
       sealgate-bench memory                               growth of the process beside `openssl cms`
       sealgate-bench only ours|theirs OPERATION OCTETS    one operation again and again, for a profiler
       sealgate-bench timing [DECRYPTIONS]                 whether RSA decryption tells anything by its time";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["smime"] => Place::new().and_then(|place| speed::run(place.path())),
        ["memory"] => Place::new().and_then(|place| memory::run(place.path())),
        ["memory-of", directory, way] => memory::one(Path::new(directory), way),
        ["only", side, operation, octets] => octets
            .parse()
            .map_err(Failed::from)
            .and_then(|octets| speed::only(Place::new()?.path(), side, operation, octets)),
        ["timing"] => timing::run(timing::DECRYPTIONS),
        ["timing", count] => count.parse().map_err(Failed::from).and_then(timing::run),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
