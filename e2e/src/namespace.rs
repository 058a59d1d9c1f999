//! A network of a test's own (Linux network namespace): loopback, and a way to everywhere that leads nowhere. Every packet in
//! it is seen, so that "nobody is called" can be shown.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::place::skip;
use crate::program::{present, python, run};

/// Says that the process is inside.
const INSIDE: &str = "SEALGATE_E2E_NAMESPACE";

/// Makes the network and starts what its arguments say. What would ask neighbours and routers is off; what goes out by `out`
/// comes in at `beyond`, where nobody answers.
const SET_UP: &str = "set -e
ip link set lo up
ip link add out type veth peer name beyond
for device in out beyond; do echo 1 >/proc/sys/net/ipv6/conf/$device/disable_ipv6; done
ip link set out arp off
ip address add 198.18.0.2/24 dev out
ip link set beyond up
ip link set out up
ip route add default dev out
exec \"$@\"";

/// Whether the process is inside. If not, runs the test of this name anew inside, as a process of its own that must succeed;
/// where the system does not allow that, the test is skipped.
pub fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !present(&["unshare", "ip", "python3"]) {
        return false;
    }
    let shell = ["--map-root-user", "--net", "sh", "-c", SET_UP, "sh"];
    if !run("unshare", &[&shell[..], &["true"]].concat(), b"").good {
        skip("no network namespace can be made here");
        return false;
    }
    let own = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(shell)
        .arg(own)
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .status();
    assert!(status.unwrap().success(), "{test} failed inside");
    false
}

/// Prints a line for each packet: device, protocol, address, port, and whether it opens a TCP connection. Ends with its input.
const CAPTURE: &str = r#"
import select, socket, sys
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
print('ready', flush=True)
while True:
    readable, _, _ = select.select([packets, sys.stdin], [], [])
    if packets in readable:
        data, (device, kind, *_) = packets.recvfrom(65536)
        if kind == 0x800:
            protocol, address, rest = data[9], socket.inet_ntop(socket.AF_INET, data[16:20]), data[4 * (data[0] & 15):]
        elif kind == 0x86dd:
            protocol, address, rest = data[6], socket.inet_ntop(socket.AF_INET6, data[24:40]), data[40:]
        else:
            print(device, 'other', hex(kind), 0, flush=True)
            continue
        port = int.from_bytes(rest[2:4], 'big') if protocol in (6, 17) else 0
        opens = protocol == 6 and rest[13] & 0x12 == 2
        if device != 'lo' or opens or protocol != 6:
            print(device, protocol, address, port, flush=True)
    elif not sys.stdin.buffer.read1():
        break
"#;

/// Who sees every packet of the namespace.
#[derive(Debug)]
pub struct Capture {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Capture {
    /// Begins to look.
    pub fn start() -> Self {
        let child = Command::new(python())
            .args(["-c", CAPTURE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        assert_eq!(first, "ready\n", "no packets can be seen here");
        Self { child, lines }
    }

    /// Ends and gives what was seen, each once: all packets that left, and on loopback those that are no part of a
    /// connection to one of these ports.
    pub fn seen(mut self, known: &[u16]) -> BTreeSet<String> {
        // What is under way arrives.
        std::thread::sleep(Duration::from_millis(300));
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.lines.read_to_string(&mut text).unwrap();
        self.child.wait().unwrap();
        let is_known = |line: &str| {
            let port = line.rsplit(' ').next().unwrap();
            // Behind the gateway's own device it is seen once more.
            line.starts_with("beyond ")
                || line.starts_with("lo ") && known.iter().any(|one| one.to_string() == port)
        };
        let lines = text.lines().filter(|line| !is_known(line));
        lines.map(str::to_owned).collect()
    }
}
