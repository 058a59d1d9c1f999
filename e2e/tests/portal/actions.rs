//! What people do in the portal, in a browser: the table of mailboxes and its certificates, routes, encryption rules. Each row of
//! the requirements is shown by a step that says so.

use e2e::dns::Record;
use e2e::keys::{self, KeyKind, PASSWORD, shown};
use e2e::place::Directory;
use e2e::portal::world::World;
use e2e::portal::{browser, steps};
use serde_json::json;

/// The rows of requirements.md that these files show.
const ROWS: &[&str] = &[
    "S18", "S19", "S20", "S21", "S22", "S25", "S26", "S27", "S28", "S29", "S30", "S31", "S32",
    "S33", "S34", "S35", "S36", "S37", "S38", "S39", "S40", "S41", "S42", "S44", "S45", "S46",
    "S47", "S48", "S49", "S50", "S51", "S52", "S53", "S54", "S55", "S56", "S57", "S58", "S59",
    "S60", "S61", "S62", "S63", "S64", "S65", "S66", "S67", "S68", "S69", "S70", "S71", "S72",
    "S73", "S74", "S75", "S77", "S93",
];

#[test]
fn each_action_on_mailboxes_certificates_and_rules() {
    if !browser::ready() {
        return;
    }
    let Some(world) = World::running("actions") else {
        return;
    };
    // Proven to be theirs; its mail goes elsewhere.
    world.dns.add(
        "_sealgate.werk.example",
        Record::Text("organisation=zqalpha".to_owned()),
    );
    let directory = Directory::new("actions-keys");
    let authority = keys::authority(directory.path(), "other-CA");
    let address = world.alpha.own("dora");
    let dora = keys::mailbox(directory.path(), &authority, &address, KeyKind::P256);
    let given = json!({ "dora": shown(&dora.pkcs12(&authority)), "password": PASSWORD });
    let files = [
        "a_inbound.js",
        "a_mailboxes.js",
        "a_rules.js",
        "a_script.js",
    ];
    steps::judge(&steps::run(&world, &files, &given), ROWS);
}
