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
/// How often a running gateway looks for the records of new DKIM keys, and removes retired keys whose time is over:
/// whoever publishes a record waits longer for its name servers.
pub const DKIM_LOOK: Duration = Duration::from_secs(300);
/// Private DKIM keys kept unsealed in memory: two for each domain that sends often.
pub const DKIM_KEYS: usize = 1000;
/// How long an answer about the MX records of a domain counts for requests: mass re-issue asks about each domain once, and
/// a repaired record is seen soon.
pub const WAY_MEMORY: Duration = Duration::from_secs(300);
/// How many such answers are remembered.
pub const WAYS: usize = 10_000;
/// How often unreferenced content and expired held mail are swept.
pub const SWEEP: Duration = Duration::from_secs(3_600);
/// Largest file `apply` and the import commands read, in octets.
pub const INPUT_FILE: u64 = 64 * 1024 * 1024;
/// Largest message file the `smime` commands read, in octets: beyond what any mail server takes, and it is never in memory.
pub const INPUT_MESSAGE: u64 = 1024 * 1024 * 1024;
/// Buffer for reading and writing message files, in octets.
pub const FILE_BUFFER: usize = 64 * 1024;
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
/// Least seconds until a mail that waits for a token is tried again: asking a token that is away costs little.
pub const TOKEN_PAUSE: i64 = 5;
/// Most of them: a quarter of the time a mail has waited, but soon enough after the token is back.
pub const TOKEN_PAUSE_MOST: i64 = 300;
/// Fewest characters of a connector secret: a stranger in the same network must not guess it.
pub const CONNECTOR_SECRET: usize = 20;
/// Longest time a mail waits for answers about revocation (spec.md section 2), and a key that is asked about.
pub const REVOCATION_WAIT: Duration = Duration::from_secs(15);
/// Most lists, and most answers, asked for at once for one mail: a path has three or four certificates that name one each.
pub const QUESTIONS_AT_ONCE: usize = 8;
/// Seconds a list or answer is kept at most before it is asked for again, however long it says it counts: authorities
/// publish at least daily.
pub const EVIDENCE_KEPT: i64 = 86_400;
/// Seconds it is kept at least, however soon it ends, so that a busy gateway does not ask for it with every mail.
pub const EVIDENCE_KEPT_LEAST: i64 = 60;
/// Seconds until a list or answer that settled nothing is asked for again: it may have been forged on its way.
pub const EVIDENCE_DOUBTED: i64 = 1_800;
/// Seconds until a question that got no answer is asked again; each further pause doubles.
pub const EVIDENCE_PAUSE: i64 = 60;
/// The longest such pause, in seconds: an hour, so that a responder that is back is used soon.
pub const EVIDENCE_PAUSE_MOST: i64 = 3_600;
/// Lists and answers that are taken out of the store and read at the same time: each may be ten megabytes.
pub const EVIDENCE_READING: usize = 4;
/// Octets from which a list or answer is shared; answers and most lists are far smaller.
pub const EVIDENCE_LARGE: usize = 64 * 1024;
/// Octets of lists and answers kept as they were read, so that mails which wait at the same time share them: the large lists
/// of a dozen authorities.
pub const EVIDENCE_SHARED: usize = 64 * 1024 * 1024;
/// How often it is looked which correspondents' keys are due to be asked about.
pub const KEYS_POLL: Duration = Duration::from_secs(2);
/// Keys asked about at the same time: far below the places for fetches, which mails need too.
pub const KEYS_ASKED: usize = 8;
/// Orders and revocations of the built-in CA worked on at the same time: making keys takes processors.
pub const ORDERS_AT_ONCE: usize = 8;
/// The same for each authority outside: what hangs there must not take places from others.
pub const AUTHORITY_AT_ONCE: usize = 4;
/// Seconds for which an order or a revocation is taken at first: until it is known whom it goes to.
pub const ORDER_LEASE: i64 = 30;
/// Seconds that are added to what a connector may take: for making the key and for a busy machine.
pub const ORDER_LEASE_MARGIN: i64 = 10;
/// Seconds for which a revocation is taken: longer than any connector may take. Asked twice it does no harm.
pub const REVOCATION_LEASE: i64 = 4_000;
/// How often it is looked whether orders or revocations are due.
pub const ORDERS_POLL: Duration = Duration::from_millis(500);
/// How often it is looked which certificates end and which mailboxes have waited long enough.
pub const LOOK_AHEAD: Duration = Duration::from_secs(60);
/// How often at most the store is asked for more of it in one go, a hundred mailboxes each time: the rest comes a minute later.
pub const LOOK_AHEAD_ROUNDS: usize = 1_000;

/// How long the reply to a mail waits that may be the challenge of an order whose authority is just being asked: authorities
/// send it while they answer us. After that the client comes again.
pub const CHALLENGE_WAIT: Duration = Duration::from_secs(10);

/// How often it is looked meanwhile.
pub const CHALLENGE_LOOK: Duration = Duration::from_millis(250);
/// Longest time that directories and DNS are asked for keys of all recipients of a mail together, and about revocation of what
/// they have: the sending client waits for its reply.
pub const SOURCES_WAIT: Duration = Duration::from_secs(5);
/// Questions to directories and DNS under way at the same time, over all mails.
pub const SOURCES_AT_ONCE: usize = 32;
/// Those of one organisation: its slow directories must not take the places of all others.
pub const SOURCES_OF_ONE: usize = 8;
/// Certificates of one answer that are looked at.
pub const SOURCE_CERTIFICATES: usize = 50;
/// Longest name of a directory, in characters: it stands in traces, events and replies.
pub const DIRECTORY_NAME_CHARS: usize = 60;
/// After how many certificates a command says again how many are done.
pub const SETTLED_SHOWN: usize = 10;
/// Rows that one page of a list asks the store for; most events listed unless another number is said.
pub const LIST_PAGE: u32 = 1_000;
/// Longest PIN of a token in octets: PKCS #11 libraries take at most 255.
pub const PIN_OCTETS: usize = 256;
/// How often a rotation of the master key says how far it is.
pub const ROTATION_TOLD: Duration = Duration::from_secs(1);
/// How long a directory that did not answer is left alone, so that it does not keep every mail waiting.
pub const SOURCE_AWAY: Duration = Duration::from_secs(60);
/// Mailboxes named for new certificates at once: what fits into a JSON body of half a MiB.
pub const REISSUE_NAMED: usize = 10_000;
/// Mailboxes that a preview names; the number says the rest.
pub const REISSUE_SHOWN: usize = 20;
/// Most orders in a minute that may be asked for: beyond it nothing would be throttled.
pub const REISSUE_PER_MINUTE: u32 = 100_000;
/// Seconds that a command of an authority may take for one verb unless told otherwise, as on the command line.
pub const AUTHORITY_COMMAND_SECONDS: i64 = 60;
/// Characters of the reason of a block: a sentence or two.
pub const BLOCK_REASON: usize = 500;
/// Domains that are asked about in DNS for one page: each is some questions.
pub const DOMAINS_AT_ONCE: usize = 25;
/// How long a page waits for what DNS says of a domain; then it says that nothing is known now.
pub const DOMAIN_WAIT: Duration = Duration::from_secs(5);
/// Mailboxes that a warning about a rule names: enough to know whom to look at, the count says the rest.
pub const LACKING_SHOWN: usize = 5;
/// Seconds for which it stays known which mailboxes rules shut out, though certificates may end meanwhile.
pub const LACKING_SECONDS: i64 = 60;
/// Pause between two pieces of bulk work, so that mail gets the database.
pub const BULK_PAUSE: Duration = Duration::from_millis(50);
/// How often it is looked for bulk work that nobody told us of: what a gateway before us left is found at once.
pub const BULK_POLL: Duration = Duration::from_secs(60);
/// Pause before bulk work is tried again where the database was away.
pub const BULK_AGAIN: Duration = Duration::from_secs(5);
/// How much bulk work a page tells of: what goes on, and some that ended lately.
pub const BULK_TOLD_AT_ONCE: u32 = 5;
/// Seconds for which it is told that bulk work has ended: until whoever ordered it has looked again.
pub const BULK_TOLD: i64 = 600;
/// Orders and revocations that are told of one mailbox: those of a decade.
pub const MAILBOX_HISTORY: u32 = 50;
/// Uploads read at the same time: each may keep a processor busy.
pub const UPLOADS: usize = 2;
/// DKIM keys made at the same time: an RSA key keeps a processor busy for up to some seconds.
pub const KEYS_MADE: usize = 1;
/// Longest time that is waited for such a place: several keys of others are made in it.
pub const KEY_MAKING_WAIT: Duration = Duration::from_secs(10);
/// Longest time an upload is waited for, its place included (row W5).
pub const UPLOAD_WAIT: Duration = Duration::from_secs(5);
/// Seconds for which failed mails need attention on the overview: what is older has been seen or does not matter any more.
pub const ATTENTION_MAILS: i64 = 86_400;
/// Seconds before the end of a certificate at which its missing renewal needs attention: as early as renewals are ordered.
pub const ATTENTION_CERTIFICATE: i64 = 30 * 86_400;
/// Seconds before the end of licences at which it needs attention: booking takes weeks in some places.
pub const ATTENTION_LICENCE: i64 = 30 * 86_400;
/// Seconds for which failed orders and events are on the overview: a week, holidays included.
pub const ATTENTION_ORDERS: i64 = 7 * 86_400;
/// Domains whose way is looked at for the overview.
pub const ATTENTION_DOMAINS: usize = 100;
/// Events on the overview: a glance; the page of events has all.
pub const OVERVIEW_EVENTS: u32 = 8;
/// Days that the larger plot of mails shows.
pub const OVERVIEW_DAYS: i64 = 30;
/// Weeks ahead that the plot of ending certificates shows: half a year.
pub const OVERVIEW_WEEKS: i64 = 26;
/// Longest name of an inbound route, in characters: it stands in tables, addresses and the audit log.
pub const ROUTE_NAME_CHARS: usize = 100;
/// Most domains of one inbound route that the portal takes: a form that can still be read.
pub const ROUTE_DOMAINS: usize = 500;
/// Domains of a route whose MX records are asked for when it is shown.
pub const DOMAINS_ASKED: usize = 20;
/// How long a page waits for DNS: what is not known then is shown as unknown.
pub const WAY_WAIT: Duration = Duration::from_secs(2);
/// Longest name of a sending client that the portal makes, in characters: it stands in tables and traces.
pub const CLIENT_NAME_CHARS: usize = 100;
/// Most addresses and domains that a sending client is given in the portal.
pub const CLIENT_ENTRIES: usize = 200;
/// Most networks of a sending client that the portal makes: those of the large mail providers are some dozen.
pub const CLIENT_NETWORKS: usize = 200;
/// Octets of chance in a password or connector secret that is made here: nobody guesses 192 bits.
pub const CLIENT_SECRET_OCTETS: usize = 24;
/// Certificates of one file that are offered for import: a partner's whole department.
pub const OFFERED_KEYS: usize = 100;
/// How often it is looked whether there are events for webhooks.
pub const WEBHOOK_POLL: Duration = Duration::from_secs(1);
/// Webhooks that are called at the same time: each holds a connection for seconds at worst.
pub const WEBHOOKS_AT_ONCE: usize = 64;
/// Of them, those of one organisation: slow servers of one keep nobody else waiting.
pub const WEBHOOKS_OF_ONE: usize = 2;
/// Characters of an authority's name: it stands in lists and commands.
pub const AUTHORITY_NAME_CHARS: usize = 100;
/// Characters of an address, name, password or key among the settings of an authority, directory or webhook: what is in use is
/// shorter.
pub const SETTING_CHARS: usize = 2_000;
/// Characters of roots in PEM form that come with such settings: some ten certificates.
pub const ROOTS_CHARS: usize = 32 * 1024;
/// Addresses that an ACME account gives: authorities write to one or two.
pub const ACME_CONTACTS: usize = 10;
/// Attributes that a directory is asked for: two are usual.
pub const DIRECTORY_ATTRIBUTES: usize = 20;
/// Characters of a user name or password for a mail server (RFC 4616 section 2).
pub const LOGIN_CHARS: usize = 255;
/// Mailboxes whose keys also open mail to one mailbox: each is tried for each mail.
pub const ALIASES: usize = 100;
/// Random octets of a webhook's secret: as many as its hash has.
pub const WEBHOOK_SECRET: usize = 32;
/// Shortest prefix of an IPv4 network that a sending client may have: no organisation and no provider has more than a class A network.
pub const SHORTEST_PREFIX_V4: u8 = 8;
/// The same of an IPv6 network: registries give providers no shorter prefix.
pub const SHORTEST_PREFIX_V6: u8 = 16;
/// How long somebody who has the audit log checked waits for the end; a longer log is told of in pieces.
pub const AUDIT_CHECK_WAIT: Duration = Duration::from_secs(3);
