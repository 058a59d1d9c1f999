//! Every size, count and wait of the process, each with its reason.

use std::time::Duration;

/// Largest mail in octets unless configured: 50 MiB, twice what the large providers take.
pub const SIZE_LIMIT: u64 = 50 * 1024 * 1024;
/// How often a running gateway looks whether the configuration changed; two seconds are promised.
pub const VERSION_POLL: Duration = Duration::from_millis(200);
/// How long a command waits for the running gateway to have loaded its change.
pub const LIVE_WAIT: Duration = Duration::from_secs(2);
/// Copies in delivery at the same time; more would only queue at the peers.
pub const DELIVERIES: usize = 40;
/// Copies in delivery to the same next hop at the same time, so that a slow one does not take all places.
pub const DELIVERIES_PER_HOP: usize = 10;
/// Mails being opened at the same time: public-key work, so about the number of cores.
pub const OPENINGS: usize = 4;
/// How long a lease on a copy lasts, in seconds: longer than the longest attempt.
pub const LEASE: i64 = 3_600;
/// How long the scheduler sleeps when nothing is due and nobody wakes it.
pub const IDLE: Duration = Duration::from_secs(30);
/// How long a stop waits for sessions and deliveries under way.
pub const STOP_GRACE: Duration = Duration::from_secs(25);
/// How often unreferenced content and expired held mail are swept.
pub const SWEEP: Duration = Duration::from_secs(3_600);
/// Largest file `apply` and the import commands read, in octets.
pub const INPUT_FILE: u64 = 64 * 1024 * 1024;
/// How long an answer of a next hop about a recipient of a wildcard route is remembered.
pub const RECIPIENT_MEMORY: Duration = Duration::from_secs(600);
/// How many such answers are remembered.
pub const RECIPIENT_CACHE: usize = 10_000;
/// Probes of next hops under way at the same time.
pub const RECIPIENT_PROBES: usize = 20;
/// Copies and mails leased at the same time, under way or waiting for their place: what lies in memory for them is small.
pub const LEASED: usize = 400;
/// How often a mail is opened before it is set aside: once more than a passing fault needs.
pub const OPENING_ATTEMPTS: u32 = 3;
/// Seconds until a mail that could not be opened is tried again.
pub const OPENING_PAUSE: i64 = 30;
