//! The gateway's database read and written beside it: accounts put straight into it, and whether anything changed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::gateway::Gateway;
use crate::keys::shown;
use crate::place::PATIENCE;
use crate::program::{must_run, python};

/// Runs statements. Arguments: the database; input: JSON, a list of statement and values. A text that begins with `hex:` is octets.
const RUN: &str = r#"
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
value = lambda one: bytes.fromhex(one[4:]) if isinstance(one, str) and one.startswith("hex:") else one
out = []
database.execute("BEGIN IMMEDIATE")
for statement, values in json.load(sys.stdin):
    rows = database.execute(statement, [value(one) for one in values]).fetchall()
    out.append([[one.hex() if isinstance(one, bytes) else one for one in row] for row in rows])
database.execute("COMMIT")
print(json.dumps(out))
"#;

/// A digest of the rows of each table. Arguments: the database; tables and columns left out, as `table` and `table.column`; the
/// organisation whose rows alone count, or 0.
const DIGEST: &str = r#"
import hashlib, json, sqlite3, sys
database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=30)
left_out = set(json.loads(sys.argv[2]))
organisation = int(sys.argv[3])
names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
out = {}
for name in names:
    if name in left_out or name.startswith("sqlite_"):
        continue
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
    own = "organisation" in columns
    if organisation and not own:
        continue
    where = f" WHERE organisation = {organisation}" if organisation else ""
    columns = [one for one in columns if f"{name}.{one}" not in left_out]
    rows = sorted(repr(row) for row in database.execute(f"SELECT {', '.join(columns)} FROM {name}{where}"))
    out[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest() + f" {len(rows)}"
print(json.dumps(out))
"#;

/// What changes by itself, or by being asked: who is at work, and when sessions and tokens were last used.
const LEFT_OUT: &str = r#"["nodes", "sessions.seen", "sessions.notice", "api_tokens.used", "counters", "chunks", "contents", "evidence"]"#;

fn path(gateway: &Gateway) -> String {
    shown(&gateway.data().join("sealgate.db"))
}

/// Carries out statements in one transaction; gives the rows of each.
pub fn run(gateway: &Gateway, statements: &Value) -> Value {
    let out = must_run(
        &python(),
        &["-c", RUN, &path(gateway)],
        statements.to_string().as_bytes(),
    );
    serde_json::from_slice(&out).unwrap()
}

/// Waits until the running gateway decides by the newest configuration. An answer to a change waits two seconds for that; with
/// tens of thousands of mailboxes on a busy machine it takes longer, and until then pages show what was before.
pub fn until_live(gateway: &Gateway) {
    let is_live = "SELECT MAX(version) >= (SELECT value FROM counters WHERE name = 'configuration') FROM nodes";
    let end = Instant::now() + PATIENCE;
    while run(gateway, &serde_json::json!([[is_live, []]]))[0][0][0] != 1 {
        assert!(Instant::now() < end, "a change does not become live");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A digest of each table.
pub fn digest(gateway: &Gateway) -> BTreeMap<String, String> {
    digest_of(gateway, 0)
}

/// Waits until nothing changes any more: what was begun in the background is done.
pub fn until_at_rest(gateway: &Gateway) {
    let end = Instant::now() + PATIENCE;
    let mut before = digest(gateway);
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = digest(gateway);
        if now == before {
            return;
        }
        assert!(Instant::now() < end, "it does not come to rest");
        before = now;
    }
}

/// A digest of the rows of one organisation in each table.
pub fn digest_of(gateway: &Gateway, organisation: i64) -> BTreeMap<String, String> {
    let organisation = organisation.to_string();
    let arguments = ["-c", DIGEST, &path(gateway), LEFT_OUT, &organisation];
    let out = must_run(&python(), &arguments, b"");
    serde_json::from_slice(&out).unwrap()
}
