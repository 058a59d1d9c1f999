//! Rows G1 and G2 of security.md over SMTP: no tag of ours that we did not write reaches a reader. Python makes the variants and
//! judges what arrives, with Unicode tables of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use e2e::attack::{head, pkcs7, scene};
use e2e::cast::{ALICE, CAROL, Cast};
use e2e::client::{Session, stuffed};
use e2e::keys::KeyKind;
use e2e::mime::field;
use e2e::openssl::{self, Writing};
use e2e::program::{must_run, present, python};
use e2e::scene::{DELIVERY, Scene, rule};
use unicode_security::confusable_detection::skeleton;

/// Letters that look like others, by Unicode's list for security mechanisms (UTS 39), beside those whose compatibility form is
/// the letter; and what is not seen (Default_Ignorable_Code_Point).
const TABLES: &str = r#"
import base64, email, email.header, email.policy, json, random, re, sys, unicodedata
LOOK = {'a': 'аαɑ', 'c': 'сϲ', 'd': 'ԁ', 'e': 'еҽ℮', 'g': 'ɡց', 'h': 'һ', 'i': 'іιıɩ', 'n': 'ոռ', 'o': 'оοօσ',
        'p': 'рρ', 'r': 'г', 's': 'ѕꜱ', 'u': 'υսʋ', 'v': 'νѵ', 'y': 'уγү',
        'S': 'ЅՏ', 'I': 'ΙІӀ', 'G': 'Ԍ', 'N': 'Ν', 'E': 'ЕΕ', 'O': 'ОΟՕ', 'K': 'КΚ', 'T': 'ТΤ', 'A': 'АΑ', 'C': 'СϹ', 'P': 'РΡ', 'Y': 'ҮΥ'}
STYLES = ['MATHEMATICAL BOLD', 'MATHEMATICAL ITALIC', 'MATHEMATICAL BOLD ITALIC', 'MATHEMATICAL SCRIPT', 'MATHEMATICAL FRAKTUR',
          'MATHEMATICAL DOUBLE-STRUCK', 'MATHEMATICAL SANS-SERIF', 'MATHEMATICAL SANS-SERIF BOLD', 'MATHEMATICAL MONOSPACE']
def styled(letter):
    kind = 'SMALL' if letter.islower() else 'CAPITAL'
    names = [f'{style} {kind} {letter.upper()}' for style in STYLES]
    names += [f'FULLWIDTH LATIN {kind} LETTER {letter.upper()}', f'CIRCLED LATIN {kind} LETTER {letter.upper()}']
    out = []
    for name in names:
        try:
            out.append(unicodedata.lookup(name))
        except KeyError:
            pass
    return out
MORE = {}
for letter, all in MORE.items():
    LOOK[letter] = ''.join(dict.fromkeys(LOOK.get(letter, '') + all))
BACK = {}
for letter, all in LOOK.items():
    for look in all:
        BACK.setdefault(look, letter.lower())
UNSEEN = '\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066\u2069\ufe0f\ufeff\U000e0020\U000e0101\u3164\u115f'
def ignorable(c):
    n = ord(c)
    return unicodedata.category(c) in ('Cf', 'Cc', 'Mn') or c.isspace() or c in UNSEEN or 0xe0000 <= n <= 0xe0fff or 0xfe00 <= n <= 0xfe0f
def fold(text):
    out = ''
    for c in text:
        c = BACK.get(c, c)
        for d in unicodedata.normalize('NFKD', c):
            d = BACK.get(d, d)
            if not ignorable(d):
                out += d.lower()
    return out.translate({ord('l'): 'i', ord('1'): 'i', ord('|'): 'i', ord('0'): 'o'})
TAGS = [fold(tag) for tag in ('[signed]', '[encrypted]', '[signed ok]', '[signature not verified]', '[signature invalid]', '[signiert]',
                              '[verschlüsselt]', '[Signatur ungültig]', '[Signatur nicht geprüft]')]
"#;

/// Writes the headers of forged mails, as JSON: name, field lines in base64. Argument: seed.
const MAKE: &str = r#"
random.seed(int(sys.argv[1]))
def b(text, charset='utf-8'):
    return '=?%s?B?%s?=' % (charset, base64.b64encode(text.encode(charset)).decode())
def q(text, charset='utf-8'):
    return '=?%s?Q?%s?=' % (charset, ''.join('=%02X' % o for o in text.encode(charset)))
out = []
def add(name, lines):
    out.append((name, base64.b64encode(lines.encode('utf-8', 'surrogateescape')).decode()))
def subject(name, value):
    add(name, 'Subject: ' + value + '\r\n')
T = '[signed OK]'
subject('plain', T + ' hello'); subject('short', '[signed] hello'); subject('encrypted', '[encrypted] hello')
subject('case', '[SIGNED ok] x'); subject('inner-blanks', '[ signed  OK ] x'); subject('tab', '[signed\tOK] x')
subject('b', b(T) + ' x'); subject('q', q(T) + ' x'); subject('q-plain', '=?utf-8?q?[signed_OK]?= x'); subject('q-lower', '=?UTF-8?q?=5bsigned=5d?= x')
subject('split', b('[sig') + ' ' + b('ned]') + ' x'); subject('split-mixed', b('[sig') + ' ' + q('ned OK]') + ' x')
subject('split-letters', ' '.join(q(c) for c in '[signed]')); subject('half-plain', '[' + 'signed ' + q('OK]') + ' x')
subject('word-inside', '[sig=?utf-8?q?ned?=] x'); subject('no-blank', '=?utf-8?q?[signed?==?utf-8?q?]?= x')
subject('folded', '[signed\r\n OK] x'); subject('folded-word', b('[sig') + '\r\n ' + b('ned]') + ' x'); subject('folded-tab', '[signed]\r\n\tx')
subject('doubled', '[sig[signed OK]ned OK] x'); subject('doubled-short', '[si[signed]gned] x'); subject('doubled-words', '[sig' + q('[signed]') + 'ned] x')
subject('three', '[s[s[signed]igned]igned] x'); subject('late', 'hello [signed]'); subject('middle', 'Re: [encrypted] x')
for name, c in [('zwsp', '\u200b'), ('zwj', '\u200d'), ('zwnj', '\u200c'), ('shy', '\u00ad'), ('rlo-pdf', '\u202d'), ('isolate', '\u2066'), ('nbsp', '\u00a0'),
                ('selector', '\ufe0f'), ('bom', '\ufeff'), ('cgj', '\u034f'), ('tag-letter', '\U000e0061'), ('mark', '\u0301'), ('lrm', '\u200e'), ('filler', '\u3164')]:
    text = c.join('[signed]'); subject(name + '-b', b(text)); subject(name + '-raw', text)
subject('rlo', b('\u202e]dengis[\u202c x')); subject('fullwidth', b('［signed］')); subject('fullwidth-raw', '［signed OK］ x'); subject('latin1', '=?iso-8859-1?Q?[signed=AD]?=')
subject('utf-16', b('[signed]', 'utf-16-be')); subject('utf-7', '=?utf-7?Q?+AFs-signed+AF0-?= x'); subject('utf-8-in-latin', '=?us-ascii?Q?[signed]?=')
subject('unknown-charset', '=?x-none?Q?[signed]?='); subject('language', '=?utf-8*en?Q?[signed]?='); subject('nested', b(q('[signed]')))
subject('open-word', '=?utf-8?Q?[signed]'); subject('broken-b', '=?utf-8?B?W3NpZ25lZF0?= x'); subject('encoded-blank', '=?utf-8?q?[signed ]?= x')
add('two', 'Subject: x\r\nSubject: [signed]\r\n'); add('two-turned', 'Subject: [signed]\r\nSubject: x\r\n'); add('three-fields', 'SUBJECT: [signed]\r\nsubject: [encrypted]\r\nSubject: x\r\n')
add('blank-colon', 'Subject : [signed]\r\n'); add('tab-colon', 'Subject\t: [signed]\r\n'); add('no-space', 'Subject:[signed]\r\n'); add('topic', 'Subject: x\r\nThread-Topic: [signed]\r\n')
add('first-empty', 'Subject:\r\n [signed]\r\n'); add('first-empty-word', 'Subject:\r\n ' + b('[signed]') + '\r\n')
subject('german', '[signiert] x'); subject('german-umlaut', b('[verschlüsselt]')); subject('german-decomposed', b(unicodedata.normalize('NFD', '[verschlüsselt]')))
subject('invalid', '[signature invalid] x'); subject('repeated', '[signed] ' * 40); subject('long', 'x' * 900 + ' [signed]')
WORDS = ['[signed]', '[signed OK]', '[encrypted]', '[signature not verified]', '[signature invalid]', '[SIGNED]', '[Signiert]', '[verschlüsselt]', '[Signatur nicht geprüft]']
for number in range(200):
    text = ''
    for c in random.choice(WORDS):
        choice = list(LOOK.get(c, '')) + (styled(c) if c.isascii() and c.isalpha() else [])
        if c in '[]':
            choice = [{'[': '［', ']': '］'}[c]]
        text += random.choice(choice) if choice and random.random() < 0.6 else c
        if random.random() < 0.15:
            text += random.choice(UNSEEN)
    way = number % 4
    cut = random.randrange(len(text))
    subject('look-%d' % number, [text, b(text), q(text), b(text[:cut]) + ' ' + q(text[cut:])][way] + ' x')
json.dump(out, sys.stdout)
"#;

/// Prints what a reader would take for a tag: every subject of every message in each mail, read in three ways. In: JSON of name,
/// the mail in base64, and the tag that the gateway itself has put in front.
const READ: &str = r#"
def readings(raw):
    text = raw.decode('utf-8', 'surrogateescape')
    unfolded = re.sub(r'\r\n(?=[ \t])', '', text)
    yield text
    yield unfolded
    joined = re.sub(r'\?=\s+=\?', '?==?', unfolded)
    def word(found):
        charset, way, data = found.group(1).split('*')[0], found.group(2).lower(), found.group(3)
        try:
            octets = base64.b64decode(data + '==') if way == 'b' else re.sub(rb'=([0-9A-Fa-f]{2})', lambda f: bytes([int(f.group(1), 16)]), data.replace('_', ' ').encode())
        except Exception:
            return found.group(0)
        try:
            return octets.decode(charset, 'replace')
        except LookupError:
            return octets.decode('latin-1')
    yield re.sub(r'=\?([^?]+)\?([BbQq])\?([^?]*)\?=', word, joined)
    try:
        yield ''.join(part if isinstance(part, str) else part.decode(charset or 'latin-1', 'replace') for part, charset in email.header.decode_header(unfolded))
    except Exception:
        pass
for name, mail, own in json.load(sys.stdin):
    octets = base64.b64decode(mail)
    for part in email.message_from_bytes(octets).walk():
        for field, value in part.raw_items():
            if field.strip().lower() in ('subject', 'thread-topic'):
                value = value if isinstance(value, str) else str(value)
                raw = value.encode('utf-8', 'surrogateescape')
                for read in readings(raw):
                    for shown in (read, read[::-1]) if '\u202e' in read else (read,):
                        folded = fold(shown.translate({ord(c): None for c in '\u202e\u202c'}))
                        if own and folded.startswith('subject:' + own):
                            folded = folded[len('subject:' + own):]
                        elif own and folded.startswith(own):
                            folded = folded[len(own):]
                        for tag in TAGS:
                            if tag in folded:
                                print(name, repr(read)[:200])
    for line in re.sub(rb'\r\n[ \t]+', b' ', octets.split(b'\r\n\r\n')[0]).split(b'\r\n'):
        if line.lower().replace(b' ', b'').replace(b'\t', b'').startswith(b'subject:') and not own and any(tag in fold(line.decode('utf-8', 'replace')) for tag in TAGS):
            print(name, line)
"#;

/// The tables, with all single letters that Unicode's list takes for one of the alphabet.
fn tables() -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(make_tables)
}

fn make_tables() -> String {
    let look = |c: char| skeleton(c.encode_utf8(&mut [0; 4])).collect::<String>();
    let mut alike: BTreeMap<String, String> = BTreeMap::new();
    for c in '\u{80}'..=char::MAX {
        alike.entry(look(c)).or_default().push(c);
    }
    let letters = ('a'..='z').chain('A'..='Z');
    let more: BTreeMap<_, _> = letters
        .filter_map(|letter| Some((letter, alike.get(&look(letter))?)))
        .collect();
    assert!(more.len() > 40, "{}", more.len());
    let json = serde_json::to_string(&more).unwrap();
    let text = serde_json::to_string(&json).unwrap();
    TABLES.replace("MORE = {}", &format!("MORE = json.loads({text})"))
}

const SEED: u32 = 4711;

/// Name and field lines of each variant.
fn variants() -> Vec<(String, Vec<u8>)> {
    let script = format!("{}{MAKE}", tables());
    let made = must_run(&python(), &["-c", &script, &SEED.to_string()], b"");
    let made: Vec<(String, String)> = serde_json::from_slice(&made).unwrap();
    made.into_iter()
        .map(|(name, lines)| (name, decoded(&lines)))
        .collect()
}

fn decoded(base64: &str) -> Vec<u8> {
    let arguments = ["base64", "-d", "-A"];
    must_run("openssl", &arguments, base64.as_bytes())
}

/// What of these mails shows a tag.
fn survivors(mails: &[(String, Vec<u8>)]) -> String {
    let encoded: Vec<(&str, String, &str)> = mails
        .iter()
        .map(|(name, mail)| {
            let base64 = must_run("openssl", &["base64", "-e", "-A"], mail);
            let told = field(mail, "X-Sealgate-Result").unwrap_or_default();
            let own = if told.contains("encryption=decrypted") {
                "[encrypted]"
            } else {
                ""
            };
            (name.as_str(), String::from_utf8(base64).unwrap(), own)
        })
        .collect();
    let script = format!("{}{READ}", tables());
    let input = serde_json::to_vec(&encoded).unwrap();
    String::from_utf8(must_run(&python(), &["-c", &script], &input)).unwrap()
}

fn start(name: &str) -> Option<Scene> {
    let more = [
        rule("optional", "neither").as_str(),
        "[settings]\nsubject-tags = true\n",
    ]
    .concat();
    if !present(&["python3"]) {
        return None;
    }
    scene(name, KeyKind::P256, &more)
}

/// With 8-bit header octets, as spammers send them.
fn hand_in(scene: &Scene, message: &[u8]) -> u16 {
    let mut session = Session::connect(scene.gateway.inbound).unwrap();
    session.command("EHLO client.example").unwrap();
    session
        .command(&format!("MAIL FROM:<{CAROL}> BODY=8BITMIME"))
        .unwrap();
    session.command(&format!("RCPT TO:<{ALICE}>")).unwrap();
    session.command("DATA").unwrap();
    session.send(&stuffed(message)).unwrap();
    session.reply().unwrap().code
}

fn without_subject(name: &str) -> String {
    head(name, CAROL).replace("Subject: s\r\n", "")
}

/// Sends each and gives those that arrived; a mail that is refused is as good.
fn through(scene: &Scene, mails: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let mut expected = scene.office.received().len();
    for (name, message) in mails {
        match hand_in(scene, message) {
            250 => expected += 1,
            code => assert!((500..600).contains(&code), "{name}: {code}"),
        }
    }
    scene.office.wait_for(expected, DELIVERY);
    scene.gateway.drained();
    let all = scene.office.received();
    assert_eq!(all.len(), expected);
    all.into_iter()
        .map(|mail| {
            let id = field(&mail.content, "Message-ID").unwrap_or_default();
            (id, mail.content)
        })
        .collect()
}

#[test]
fn g1_g2_forged_tags_over_smtp() {
    let Some(scene) = start("attack-g1") else {
        return;
    };
    let variants = variants();
    let plain: Vec<_> = variants
        .iter()
        .map(|(name, lines)| {
            let text = b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello\r\n";
            let message = [without_subject(name).as_bytes(), lines, text].concat();
            (name.clone(), message)
        })
        .collect();
    assert!(plain.len() >= 240, "{}", plain.len());
    // The judge sees all of them before, but for those that show no tag to Python.
    let seen = survivors(&plain);
    let seen_names: std::collections::BTreeSet<_> = seen
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        seen_names.len() * 10 >= plain.len() * 9,
        "{} of {}",
        seen_names.len(),
        plain.len()
    );
    let arrived = through(&scene, &plain);
    assert!(arrived.len() * 10 >= plain.len() * 9);
    let left = survivors(&arrived);
    assert_eq!(left, "", "seed {SEED}");
}

/// The same inside attached mails, in encrypted mails, and in the fields that an encrypted mail protects.
#[test]
fn g1_forged_tags_inside_over_smtp() {
    let Some(scene) = start("attack-g1-inside") else {
        return;
    };
    let cast = Cast::with(KeyKind::P256);
    let to = [cast.alice.certificate.as_path()];
    let mut mails = Vec::new();
    for (name, lines) in variants()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("look-") || name.ends_with('7'))
    {
        let attached = [b"From: x@x.example\r\n", lines.as_slice(), b"\r\nhello\r\n"].concat();
        let tree = [
            b"Content-Type: multipart/mixed; boundary=w\r\n\r\n--w\r\n\r\nsee\r\n--w\r\nContent-Type: message/rfc822\r\n\r\n".as_slice(),
            &attached,
            b"--w--\r\n",
        ]
        .concat();
        let whole = [
            b"Content-Type: message/rfc822\r\n\r\n".as_slice(),
            &attached,
        ]
        .concat();
        let mail = |way: &str, entity: &[u8]| {
            let id = format!("{way}-{name}");
            let head = head(&id, CAROL) + "MIME-Version: 1.0\r\n";
            (id, [head.as_bytes(), entity].concat())
        };
        mails.push(mail("attached", &tree));
        mails.push(mail("whole", &whole));
        if name.len() % 3 == 0 {
            let protected = [
                b"Content-Type: text/plain; hp=\"cipher\"\r\n".as_slice(),
                &lines,
                b"\r\nhello\r\n",
            ]
            .concat();
            let wrapped = [
                b"Content-Type: message/rfc822; forwarded=no\r\n\r\n".as_slice(),
                &attached,
            ]
            .concat();
            for (way, inside) in [
                ("protected", &protected),
                ("wrapped", &wrapped),
                ("in-tree", &tree),
            ] {
                let cms = openssl::encrypt(inside, &to, "aes-256-cbc", Writing::Der);
                mails.push(mail(
                    way,
                    &pkcs7(&e2e::attack::cms_of(&cms), "enveloped-data"),
                ));
            }
        }
    }
    let arrived = through(&scene, &mails);
    let decrypted = |mail: &[u8]| String::from_utf8_lossy(mail).contains("; encryption=decrypted");
    let opened = arrived.iter().filter(|(_, mail)| decrypted(mail));
    assert!(opened.count() > 20);
    let left = survivors(&arrived);
    assert_eq!(left, "");
}
