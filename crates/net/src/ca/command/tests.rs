//! Small programs as authorities: each exit code, each limit.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use sealgate_core::authority::OrderId;
use sealgate_mail::{Address, Timestamp};

use super::*;

/// A program in a directory that goes away with it.
struct Program(PathBuf);

impl Program {
    fn new(name: &str, text: &str) -> Self {
        let directory =
            std::env::temp_dir().join(format!("sealgate-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let chain: String = ["alice", "root-one", "root-two"]
            .map(|name| certificate(name).pem())
            .concat();
        std::fs::write(directory.join("chain.pem"), chain).unwrap();
        let program = directory.join("authority");
        let text = format!("#!/bin/sh\nhere={}\n{text}\n", directory.display());
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Self(directory)
    }

    fn settings(&self) -> CommandSettings {
        CommandSettings {
            program: self.0.join("authority").display().to_string(),
            arguments: vec!["first".to_owned(), "$(second) ;".to_owned()],
            timeout: 10,
        }
    }

    fn command(&self) -> ExternalCommand {
        ExternalCommand::new(self.settings())
    }

    fn wrote(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn certificate(name: &str) -> Certificate {
    let file = format!("{}/../core/testdata/{name}.der", env!("CARGO_MANIFEST_DIR"));
    Certificate::from_der(&std::fs::read(file).unwrap()).unwrap()
}

fn wanted(handle: Option<&str>) -> Wanted {
    Wanted {
        order: OrderId(17),
        address: Address::parse("alice@example.com").unwrap(),
        csr: vec![0x30, 0],
        spki: Vec::new(),
        handle: handle.map(str::to_owned),
        answered: false,
        now: Timestamp(1_795_305_600),
    }
}

fn to_revoke() -> ToRevoke {
    ToRevoke {
        certificate: certificate("alice"),
        chain: Vec::new(),
        handle: Some("h7".to_owned()),
        reason: RevocationReason::Superseded,
        now: Timestamp(1_795_305_600),
    }
}

#[tokio::test]
async fn what_the_program_is_told() {
    let program = Program::new(
        "told",
        "printf '%s\\n' \"$@\" > $here/arguments; env | grep -v -e ^_= -e ^PWD= -e ^SHLVL= | sort > $here/environment\n\
         cat > $here/input; pwd > $here/place; cat $here/chain.pem",
    );
    let issued = program.command().request(&wanted(Some("note 1"))).await;
    // The root that came along is left out.
    assert_eq!(issued, Ok(Progress::Issued(vec![certificate("alice")])));
    assert_eq!(program.wrote("arguments"), "first\n$(second) ;\nrequest\n");
    let environment = format!(
        "PATH={SEARCH_PATH}\nSEALGATE_HANDLE=note 1\nSEALGATE_MAILBOX=alice@example.com\nSEALGATE_ORDER=17\n"
    );
    assert_eq!(program.wrote("environment"), environment);
    assert_eq!(program.wrote("place"), "/\n");
    assert_eq!(
        program.wrote("input"),
        "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
    );
    assert_eq!(
        program.command().revoke(&to_revoke()).await,
        Ok(Revoked::Confirmed)
    );
    let serial = certificate("alice").serial_hex();
    let environment = format!(
        "PATH={SEARCH_PATH}\nSEALGATE_HANDLE=h7\nSEALGATE_MAILBOX=alice@partner.example\n\
         SEALGATE_REASON=superseded\nSEALGATE_SERIAL={serial}\n"
    );
    assert_eq!(program.wrote("environment"), environment);
    assert_eq!(program.wrote("input"), certificate("alice").pem());
}

/// What came of each verb: a word, and the text of a failure.
async fn verbs(command: &ExternalCommand) -> [String; 3] {
    let shown = |failure: AuthorityFailure| {
        let extent = if failure.permanent {
            "for good"
        } else {
            "passing"
        };
        format!("{extent}: {failure}")
    };
    let progress = |progress| match progress {
        Ok(Progress::Issued(chain)) => format!("issued {}", chain.len()),
        Ok(Progress::Waiting { handle, again_in }) => format!("waiting {handle:?} {again_in}"),
        Ok(Progress::Unknown) => "unknown".to_owned(),
        Err(failure) => shown(failure),
    };
    let wanted = wanted(Some("before"));
    let revoked = match command.revoke(&to_revoke()).await {
        Ok(revoked) => format!("{revoked:?}"),
        Err(failure) => shown(failure),
    };
    [
        progress(command.request(&wanted).await),
        progress(command.collect(&wanted).await),
        revoked,
    ]
}

#[tokio::test]
async fn every_exit_code_is_an_answer() {
    let refused = "for good: the command refused it: \"no such customer\"";
    let broken = "passing: the command ended with code 3: \"[1mlast words\"";
    let no_chain = "passing: the command ended well, but what it wrote is no chain of certificates";
    let unknown = [
        "passing: the command ended with code 66",
        "unknown",
        "passing: the command ended with code 66",
    ];
    let table: [(&str, [&str; 3]); 9] = [
        ("cat $here/chain.pem", ["issued 1", "issued 1", "Confirmed"]),
        (
            "exit 75",
            [
                "waiting \"before\" 300",
                "waiting \"before\" 300",
                "Waiting",
            ],
        ),
        (
            "echo 'handle: https://ca.example/7'; echo 'Again-In: 3600'; exit 75",
            [
                "waiting \"https://ca.example/7\" 3600",
                "waiting \"https://ca.example/7\" 3600",
                "Waiting",
            ],
        ),
        (
            "echo again-in: 1; exit 75",
            ["waiting \"before\" 10", "waiting \"before\" 10", "Waiting"],
        ),
        ("echo no such customer >&2; exit 65", [refused; 3]),
        ("exit 66", unknown),
        (
            "printf 'first\\n\\033[1mlast\\007 words\\n\\n' >&2; exit 3",
            [broken; 3],
        ),
        (
            "kill -9 $$",
            ["passing: the command was ended by a signal"; 3],
        ),
        ("echo hello", [no_chain, no_chain, "Confirmed"]),
    ];
    for (text, expected) in table {
        let program = Program::new("codes", text);
        let found = verbs(&program.command()).await;
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{text}: {found}");
        }
    }
}

async fn failure(program: &Program) -> String {
    let failure = program.command().request(&wanted(None)).await.unwrap_err();
    assert!(!failure.permanent, "{failure}");
    failure.to_string()
}

#[tokio::test]
async fn a_program_that_does_not_end_is_ended_with_all_it_started() {
    let program = Program::new(
        "endless",
        "sleep 60 & echo $! > $here/child; echo $$ > $here/own; wait",
    );
    let settings = CommandSettings {
        timeout: 2,
        ..program.settings()
    };
    let began = Instant::now();
    let ended = ExternalCommand::new(settings).request(&wanted(None)).await;
    let text = ended.unwrap_err().to_string();
    assert!(
        text == "the command did not finish request within 2 seconds and was ended",
        "{text}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    for name in ["child", "own"] {
        let process = PathBuf::from(format!("/proc/{}/stat", program.wrote(name).trim()));
        let ended = || {
            let stat = std::fs::read_to_string(&process).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        while !ended() && began.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(ended(), "{name}");
    }
}

#[tokio::test]
async fn a_process_left_behind_keeps_nobody_waiting() {
    let program = Program::new("left", "sleep 60 &\ncat $here/chain.pem");
    let issued = program.command().request(&wanted(None)).await;
    assert_eq!(issued, Ok(Progress::Issued(vec![certificate("alice")])));
}

#[tokio::test]
async fn what_it_writes_is_bounded() {
    let large = Program::new("large", "head -c 300000 /dev/zero");
    assert_eq!(
        failure(&large).await,
        "the command wrote more than 262144 octets"
    );
    let loud = Program::new(
        "loud",
        "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo the end >&2; exit 1",
    );
    assert_eq!(
        failure(&loud).await,
        "the command ended with code 1: \"the end\""
    );
    let line = Program::new("line", "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1");
    let text = failure(&line).await;
    assert_eq!(
        text.len(),
        "the command ended with code 1: \"\"".len() + COMMAND_LINE_CHARS
    );
    // Nor does it have to read what it is given.
    let deaf = Program::new("deaf", "exec <&-; exit 75");
    assert!(deaf.command().request(&wanted(None)).await.is_ok());
}

#[tokio::test]
async fn settings_that_cannot_work_are_told() {
    let program = Program::new("settings", "exit 0");
    let good = program.settings();
    let with = |program: &str, timeout| CommandSettings {
        program: program.to_owned(),
        arguments: Vec::new(),
        timeout,
    };
    assert_eq!(ExternalCommand::problem(&good), None);
    for (settings, word) in [
        (with("authority.sh", 10), "absolute path"),
        (with("/nonexistent/authority.sh", 10), "there is no program"),
        (with(&good.program, 0), "between 1 and 3600 seconds"),
        (with(&good.program, 3_601), "between 1 and 3600 seconds"),
    ] {
        let problem = ExternalCommand::problem(&settings).unwrap().to_string();
        assert!(problem.contains(word), "{problem}");
    }
    let missing = ExternalCommand::new(with("/nonexistent/authority.sh", 10));
    let failure = missing.request(&wanted(None)).await.unwrap_err();
    assert!(!failure.to_string().contains("nonexistent"), "{failure}");
    assert!(
        !failure.permanent
            && failure
                .to_string()
                .starts_with("the command cannot be run ("),
        "{failure}"
    );
}
