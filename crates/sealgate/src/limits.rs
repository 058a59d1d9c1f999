//! Every size, count and wait of the process, each with its reason.

use std::time::Duration;

/// Largest mail in octets unless configured: 50 MiB, twice what the large providers take.
pub const SIZE_LIMIT: u64 = 50 * 1024 * 1024;
/// How often a running gateway looks whether the configuration changed; two seconds are promised.
pub const VERSION_POLL: Duration = Duration::from_millis(200);
/// How often a running gateway says that it lives: each time is a commit; after ten silent seconds it counts as gone.
pub const VERSION_SAID: Duration = Duration::from_secs(3);
/// Threads for work that may wait for contents: one for each delivery under way, and as many again for sessions and mails
/// being opened, each of which may hold the header and structure of a mail.
pub const BLOCKING_THREADS: usize = 2 * DELIVERIES;
/// How long a command waits for the running gateway to have loaded its change.
pub const LIVE_WAIT: Duration = Duration::from_secs(2);
/// Copies in delivery at the same time; more would only queue at the peers.
pub const DELIVERIES: usize = 40;
/// Copies in delivery to the same next hop at the same time, so that a slow one does not take all places.
pub const DELIVERIES_PER_HOP: usize = 10;
/// How long a leased copy waits for its place: a next hop that is slow must not keep the leased copies of others waiting.
pub const PLACE_WAIT: Duration = Duration::from_secs(5);
/// Seconds after which a copy that got no place is leased again; those of other next hops come first meanwhile.
pub const PLACE_PAUSE: i64 = 10;
/// Mails being opened at the same time: public-key work, so about the number of cores.
pub const OPENINGS: usize = 4;
/// How long a lease on a copy lasts, in seconds: longer than it may wait for its place and than the longest attempt at one
/// next hop together, because a second attempt beside the first makes a duplicate. A crash ends all leases at once.
pub const LEASE: i64 = 6 * 3_600;
/// How long a lease on a mail to be opened lasts, in seconds; none waits for a place.
pub const OPENING_LEASE: i64 = 3_600;
/// Seconds after which the result of an attempt is recorded again where that failed: about as long as a disk is full or a
/// database locked for a reason that passes. After the last one the lease ends by itself.
pub const RECORD_PAUSES: [u64; 8] = [1, 5, 10, 30, 60, 120, 300, 300];
/// Passwords compared at the same time: each comparison takes 19 MiB and a processor.
pub const PASSWORD_CHECKS: usize = 4;
/// KiB of memory for mails whose DKIM signatures are judged, all together: each lies there whole. With none left, SPF decides alone.
pub const DKIM_MEMORY: usize = 64 * 1024;
/// How long the scheduler sleeps when nothing is due and nobody wakes it.
pub const IDLE: Duration = Duration::from_secs(30);
/// How long a stop waits for sessions and deliveries under way; with [`CLOSE_GRACE`] below the thirty seconds that are
/// promised for all of it.
pub const STOP_GRACE: Duration = Duration::from_secs(25);
/// How long a stop waits for next hops to take leave.
pub const CLOSE_GRACE: Duration = Duration::from_secs(2);
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
/// Fewest characters of a connector secret: a stranger in the same network must not guess it.
pub const CONNECTOR_SECRET: usize = 20;
