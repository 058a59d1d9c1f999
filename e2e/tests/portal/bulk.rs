//! Bulk work: killed in its middle, seen, stopped.

use std::time::{Duration, Instant};

use e2e::keys::shown;
use e2e::place::PATIENCE;
use e2e::portal::database::run;
use e2e::portal::http::{Answer, Request, Visitor};
use e2e::portal::people::{person, settle};
use e2e::portal::world::{ALPHA, World};
use e2e::program::{must_run, python};
use serde_json::{Value, json};

/// Mailboxes of the work: some pieces of 500.
const MANY: u64 = 2_000;
/// What the work may take, on a busy machine.
const WORK: Duration = PATIENCE;

fn api(path: &str) -> String {
    format!("/api/v1/organisations/{ALPHA}/{path}")
}

fn call(who: &Visitor, path: &str, body: &Value) -> Answer {
    who.ask(&Request::new("POST", &api(path)).json(body))
}

/// The rows of one statement, asked beside the gateway.
fn rows(world: &World, statement: &str) -> Value {
    run(&world.gateway, &json!([[statement, []]]))[0].clone()
}

fn bulk_work(who: &Visitor) -> Value {
    who.get(&api("mailboxes/bulk-work")).json()["items"].clone()
}

/// Waits until the newest bulk work has ended.
fn ended(who: &Visitor) -> Value {
    let until = Instant::now() + WORK;
    loop {
        let work = bulk_work(who)[0].clone();
        if work["ended"].is_string() || Instant::now() > until {
            return work;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Orders certificates from the authority by hand, for which nobody has to make keys.
fn order() -> Value {
    json!({
        "chosen": { "filter": { "search": "many-" } },
        "with": { "authority": format!("{ALPHA}-hand"), "key": "p-256" },
    })
}

#[test]
fn bulk_work_survives_kill_nine() {
    let Some(mut world) = World::configured("portal-bulk") else {
        return;
    };
    settle(&world);
    world.gateway.start();
    let writer = person("zqalpha-writer").visits(&world);
    let reader = person("reader@zqalpha.example").visits(&world);
    let many: Vec<String> = (0..MANY)
        .map(|at| format!("many-{at}@{ALPHA}.example"))
        .collect();
    let entered = call(
        &writer,
        &format!("routes/{ALPHA}-office/mailboxes"),
        &json!({ "mailboxes": many }),
    );
    assert_eq!(entered.status, 200, "{}", entered.text());
    run(&world.gateway, &json!([["DELETE FROM licences", []]]));
    let killed = killed_in_the_middle(&mut world, &writer);
    world.gateway.start();
    let work = ended(&writer);
    assert_eq!(
        (&work["id"], &work["all"], &work["done"], &work["refused"]),
        (&killed, &json!(MANY), &json!(MANY), &json!(0)),
        "{work}"
    );
    assert_eq!(
        (&work["broken_off"], &work["who"]),
        (&json!(false), &json!("token zqalpha-writer"))
    );
    nothing_is_doubled(&world, &work["batch"]);
    seen(&reader);
    too_many_are_refused(&writer, &many);
    stopped(&world, &writer);
}

/// Waits until the first piece of some bulk work is done. Argument: the database.
const BEGUN: &str = r#"
import sqlite3, sys, time
database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=30)
until = time.monotonic() + 60
while not database.execute("SELECT 1 FROM bulk_work WHERE done > 0").fetchone():
    assert time.monotonic() < until, "no work was begun"
    time.sleep(0.002)
"#;

/// Gives the number of the work that was killed while it went on.
fn killed_in_the_middle(world: &mut World, writer: &Visitor) -> Value {
    let body = order();
    let asked = std::thread::scope(|scope| {
        // It may get its answer before the kill, or none.
        let asking = scope.spawn(|| {
            let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                call(writer, "mailboxes/activate", &body).status
            }));
            answer.unwrap_or(0)
        });
        let database = shown(&world.gateway.data().join("sealgate.db"));
        must_run(&python(), &["-c", BEGUN, &database], b"");
        world.gateway.kill();
        asking.join().unwrap()
    });
    assert!(asked == 0 || asked == 200, "{asked}");
    let left = rows(
        world,
        "SELECT b.id, b.done, b.ended, (SELECT COUNT(*) FROM bulk_work_targets WHERE work = b.id),
         (SELECT COUNT(*) FROM orders WHERE batch = b.batch) FROM bulk_work b",
    );
    let [id, done, ended, targets, orders] = left[0].as_array().unwrap().as_slice() else {
        panic!("{left}");
    };
    let count = done.as_u64().unwrap();
    assert!(ended.is_null() && (500..MANY).contains(&count), "{left}");
    assert_eq!((targets, orders), (&json!(MANY - count), done), "{left}");
    id.clone()
}

fn nothing_is_doubled(world: &World, batch: &Value) {
    let counts = rows(
        world,
        "SELECT COUNT(*), COUNT(DISTINCT mailbox), COUNT(DISTINCT batch), MIN(batch), SUM(ended IS NOT NULL)
         FROM orders WHERE mailbox LIKE 'many-%'",
    );
    assert_eq!(counts, json!([[MANY, MANY, 1, batch, 0]]));
    let lines = rows(
        world,
        "SELECT COUNT(*) FROM audit WHERE text LIKE 'activate mailbox many-%'",
    );
    assert_eq!(lines, json!([[MANY]]));
    let batch = rows(world, "SELECT total FROM batches WHERE text LIKE '%many-%'");
    assert_eq!(batch, json!([[MANY]]));
}

fn seen(reader: &Visitor) {
    let page = reader.get(&format!("/o/{ALPHA}/smime/mailboxes")).text();
    assert!(
        page.contains("Certificates are ordered: 2,000 of 2,000 mailboxes"),
        "{page}"
    );
    assert!(!page.contains("/stop"), "a reader stops nothing: {page}");
}

/// What is named one by one and done while somebody waits has its limit.
fn too_many_are_refused(writer: &Visitor, many: &[String]) {
    for path in ["mailboxes/withdraw", "mailboxes/confirm-revoked"] {
        let answer = call(writer, path, &json!({ "mailboxes": many }));
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(answer.text().contains("at most 500"), "{}", answer.text());
    }
    for part in many[..1_000].chunks(500) {
        let answer = call(writer, "mailboxes/withdraw", &json!({ "mailboxes": part }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["refused"], json!([]));
    }
}

/// Who may not stop it, and what has ended already.
fn stopped(world: &World, writer: &Visitor) {
    let begun = call(writer, "mailboxes/activate", &order()).json();
    let work = ended(writer);
    assert_eq!(
        (&work["all"], &work["refused"]),
        (&json!(1_000), &json!(0)),
        "{begun} {work}"
    );
    let stop = format!("mailboxes/bulk-work/{}/stop", work["id"]);
    let reader = person("zqalpha-reader").visits(world);
    let other = person("zqbeta-admin").visits(world);
    assert_eq!(call(&reader, &stop, &json!({})).status, 403);
    assert_eq!(call(&other, &stop, &json!({})).status, 404);
    let own = format!("/api/v1/organisations/zqbeta/{stop}");
    assert_eq!(other.ask(&Request::new("POST", &own)).status, 404);
    let form = person("writer@zqalpha.example").visits(world);
    let table = format!("/o/{ALPHA}/smime/mailboxes");
    let late = form.post(
        &format!("{table}/bulk-work/{}/stop", work["id"]),
        &table,
        &[],
    );
    assert_eq!(late.status, 409, "{}", late.text());
}
