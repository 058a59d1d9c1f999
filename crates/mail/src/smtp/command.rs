//! One command line parsed into types that cannot be wrong: the grammar of RFC 5321 section 4.1 with the parameters of
//! RFC 1870 (SIZE), RFC 3461 (DSN), RFC 4954 (AUTH), RFC 6152 (8BITMIME) and RFC 6531 (SMTPUTF8).
//! The grammar rule stands above each parser. What is not of the grammar is refused, never repaired.

use super::reply::Text;
use super::server::Password;
use super::{EnvelopeRecipient, MailParams, Notify, Ret};
use crate::limits::{
    AUTH_LINE_OCTETS, COMMAND_LINE_OCTETS, DOMAIN_OCTETS, ENVID_OCTETS, ORCPT_OCTETS,
    PATH_LINE_OCTETS,
};
use crate::{Address, Domain, ReversePath};

/// A command of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// HELO with the client's name.
    Helo(String),
    /// EHLO with the client's name.
    Ehlo(String),
    /// STARTTLS.
    StartTls,
    /// AUTH with its mechanism and, if given, the initial response as sent.
    Auth(Mechanism, Option<Password>),
    /// MAIL FROM.
    Mail(ReversePath, MailParams),
    /// RCPT TO, and whether its address was sent with non-ASCII characters.
    Rcpt(EnvelopeRecipient, bool),
    /// DATA.
    Data,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// HELP.
    Help,
    /// VRFY.
    Vrfy,
    /// EXPN.
    Expn,
    /// BDAT (RFC 3030), or a request of another protocol such as HTTP: what follows are no commands.
    Foreign,
}

/// An authentication mechanism (RFC 4616, and LOGIN as clients know it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN.
    Plain,
    /// LOGIN.
    Login,
}

/// What the grammar depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar<'a> {
    /// The domain of a bare `postmaster` (RFC 5321 section 4.5.1).
    pub hostname: &'a Domain,
    /// Whether SMTPUTF8 is offered.
    pub smtputf8: bool,
}

/// The outcome of a parser: a value, or what to answer.
type Parsed<T> = Result<T, Text>;

/// Parses one command line without its CRLF.
///
/// ```text
/// command = verb [ SP argument ]      ; verbs in any case, RFC 5321 section 2.4
/// ```
pub(super) fn parse(line: &[u8], grammar: Grammar<'_>) -> Parsed<Command> {
    let text = std::str::from_utf8(line).map_err(|_| Text::Syntax)?;
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Text::Syntax);
    }
    let text = text.trim_end_matches([' ', '\t']);
    let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
    let verb = verb.to_ascii_uppercase();
    if line.len().saturating_add(2) > limit(&verb) {
        return Err(Text::LongCommand);
    }
    command(&verb, argument.trim_start_matches(' '), grammar)
}

/// The longest line of a verb in octets, CRLF counted.
fn limit(verb: &str) -> usize {
    match verb {
        "MAIL" | "RCPT" => PATH_LINE_OCTETS,
        "AUTH" => AUTH_LINE_OCTETS,
        _ => COMMAND_LINE_OCTETS,
    }
}

fn command(verb: &str, argument: &str, grammar: Grammar<'_>) -> Parsed<Command> {
    match verb {
        "HELO" => Ok(Command::Helo(client_name(argument)?)),
        "EHLO" => Ok(Command::Ehlo(client_name(argument)?)),
        "STARTTLS" => alone(argument, Command::StartTls),
        "AUTH" => auth(argument),
        "MAIL" => mail(argument, grammar),
        "RCPT" => rcpt(argument, grammar),
        "DATA" => alone(argument, Command::Data),
        "RSET" => alone(argument, Command::Rset),
        "QUIT" => alone(argument, Command::Quit),
        // RFC 5321 section 4.1.1.9: the argument of NOOP is ignored.
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" => Ok(Command::Expn),
        "BDAT" | "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => Ok(Command::Foreign),
        _ => Err(Text::Unknown),
    }
}

/// A command that takes no argument (RFC 5321 section 4.1.1.4 to 4.1.1.10).
fn alone(argument: &str, command: Command) -> Parsed<Command> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(Text::Argument)
    }
}

/// The client's name. Clients send what they call themselves, so any name that can stand in a header field is taken.
///
/// ```text
/// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF      ; RFC 5321 section 4.1.1.1
/// ```
fn client_name(argument: &str) -> Parsed<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    let sound = (1..=DOMAIN_OCTETS).contains(&argument.len()) && argument.bytes().all(allowed);
    if sound {
        Ok(argument.to_owned())
    } else {
        Err(Text::Helo)
    }
}

/// ```text
/// auth-command     = "AUTH" SP sasl-mech [SP initial-response]      ; RFC 4954 section 8
/// initial-response = base64 / "="
/// ```
fn auth(argument: &str) -> Parsed<Command> {
    let (name, initial) = match argument.split_once(' ') {
        Some((name, initial)) => (name, Some(Password::new(initial.trim_start_matches(' ')))),
        None => (argument, None),
    };
    match name.to_ascii_uppercase().as_str() {
        "PLAIN" => Ok(Command::Auth(Mechanism::Plain, initial)),
        "LOGIN" => Ok(Command::Auth(Mechanism::Login, initial)),
        "" => Err(Text::Parameter),
        _ => Err(Text::Mechanism),
    }
}

/// ```text
/// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF      ; RFC 5321 section 4.1.1.2
/// ```
fn mail(argument: &str, grammar: Grammar<'_>) -> Parsed<Command> {
    let rest = after_keyword(argument, "FROM:").ok_or(Text::SenderSyntax)?;
    let (inner, rest) = path(rest).ok_or(Text::SenderSyntax)?;
    let params = mail_params(rest, grammar)?;
    if !inner.is_ascii() && !params.smtputf8 {
        return Err(Text::SenderUtf8);
    }
    if inner.is_empty() {
        return Ok(Command::Mail(ReversePath::Null, params));
    }
    if inner.starts_with('@') {
        return Err(Text::SourceRoute);
    }
    let address = Address::parse(inner).map_err(|_| Text::SenderSyntax)?;
    Ok(Command::Mail(ReversePath::Address(address), params))
}

/// ```text
/// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
/// ```
/// (RFC 5321 section 4.1.1.3.) Source routes are refused (section 3.3 lets us decline the relaying they imply);
/// `%` and `!` are letters of a local part like any other.
fn rcpt(argument: &str, grammar: Grammar<'_>) -> Parsed<Command> {
    let rest = after_keyword(argument, "TO:").ok_or(Text::RecipientSyntax)?;
    let (inner, rest) = path(rest).ok_or(Text::RecipientSyntax)?;
    if inner.starts_with('@') {
        return Err(Text::SourceRoute);
    }
    let address = if inner.eq_ignore_ascii_case("postmaster") {
        Address::new(inner, grammar.hostname.clone())
    } else {
        Address::parse(inner)
    };
    let address = address.map_err(|_| Text::RecipientSyntax)?;
    let (notify, orcpt) = rcpt_params(rest)?;
    let recipient = EnvelopeRecipient {
        address,
        notify,
        orcpt,
    };
    Ok(Command::Rcpt(recipient, !inner.is_ascii()))
}

/// What follows `keyword`, in any case. Blanks after the colon are not of the grammar, but widely sent and harmless.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = argument.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword)
        .then(|| rest.trim_start_matches(' '))
}

/// Splits a path into what stands inside its angle brackets and what follows them.
///
/// ```text
/// Path          = "<" [ A-d-l ":" ] Mailbox ">"      ; RFC 5321 section 4.1.2
/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE        ; may hold a ">"
/// ```
fn path(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let (inner, rest) = inside.split_at_checked(at)?;
                let rest = rest.strip_prefix('>')?;
                let ends = rest.is_empty() || rest.starts_with(' ');
                return ends.then_some((inner, rest));
            }
            _ => {}
        }
    }
    None
}

/// The parameters of MAIL or RCPT as keyword in capitals and value; each keyword once.
///
/// ```text
/// esmtp-param   = esmtp-keyword ["=" esmtp-value]                    ; RFC 5321 section 4.1.2
/// esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
/// esmtp-value   = 1*(%d33-60 / %d62-126)
/// ```
fn params(text: &str) -> Parsed<Vec<(String, Option<&str>)>> {
    let mut found: Vec<(String, Option<&str>)> = Vec::new();
    for param in text.split(' ').filter(|param| !param.is_empty()) {
        let (keyword, value) = match param.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (param, None),
        };
        let keyword = keyword.to_ascii_uppercase();
        let wrong_value = value.is_some_and(|value| value.is_empty() || value.contains('='));
        if wrong_value || found.iter().any(|(earlier, _)| *earlier == keyword) {
            return Err(Text::Parameter);
        }
        found.push((keyword, value));
    }
    Ok(found)
}

/// The parameters of MAIL.
fn mail_params(text: &str, grammar: Grammar<'_>) -> Parsed<MailParams> {
    let mut result = MailParams::default();
    for (keyword, value) in params(text)? {
        match (keyword.as_str(), value) {
            ("SIZE", Some(value)) => result.size = Some(size(value)?),
            ("BODY", Some(value)) => result.eight_bit = body(value)?,
            ("SMTPUTF8", None) if grammar.smtputf8 => result.smtputf8 = true,
            ("RET", Some(value)) => result.ret = Some(ret(value)?),
            ("ENVID", Some(value)) => result.envid = Some(envid(value)?),
            // RFC 4954 section 5: must be understood; nobody is trusted to speak for another, so it says nothing to us.
            ("AUTH", Some(value)) => drop(xtext(value)?),
            ("SIZE" | "BODY" | "RET" | "ENVID" | "AUTH", None) => return Err(Text::Parameter),
            _ => return Err(Text::UnknownParameter),
        }
    }
    Ok(result)
}

/// The parameters of RCPT: NOTIFY and ORCPT.
fn rcpt_params(text: &str) -> Parsed<(Notify, Option<String>)> {
    let mut result = (Notify::default(), None);
    for (keyword, value) in params(text)? {
        match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => result.0 = notify(value)?,
            ("ORCPT", Some(value)) => result.1 = Some(orcpt(value)?),
            ("NOTIFY" | "ORCPT", None) => return Err(Text::Parameter),
            _ => return Err(Text::UnknownParameter),
        }
    }
    Ok(result)
}

/// ```text
/// size-value = 1*20DIGIT      ; RFC 1870 section 3
/// ```
fn size(value: &str) -> Parsed<u64> {
    if value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Text::Parameter);
    }
    // Twenty digits may exceed 64 bits; such a size is above every limit all the same.
    Ok(value.parse().unwrap_or(u64::MAX))
}

/// ```text
/// body-value = "7BIT" / "8BITMIME"      ; RFC 6152 section 2
/// ```
fn body(value: &str) -> Parsed<bool> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(false),
        "8BITMIME" => Ok(true),
        _ => Err(Text::Parameter),
    }
}

/// ```text
/// ret-value = "FULL" / "HDRS"      ; RFC 3461 section 4.3
/// ```
fn ret(value: &str) -> Parsed<Ret> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(Text::Parameter),
    }
}

/// ```text
/// envid-value = xtext      ; RFC 3461 section 4.4: at most 100 characters, decodes to printable ASCII
/// ```
fn envid(value: &str) -> Parsed<String> {
    if value.len() > ENVID_OCTETS {
        return Err(Text::Parameter);
    }
    xtext(value)
}

/// ```text
/// notify-esmtp-value  = "NEVER" / 1#notify-list-element      ; RFC 3461 section 4.1
/// notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"
/// ```
fn notify(value: &str) -> Parsed<Notify> {
    let mut result = Notify {
        success: false,
        failure: false,
        delay: false,
        explicit: true,
    };
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(result);
    }
    for element in value.split(',') {
        match element.to_ascii_uppercase().as_str() {
            "SUCCESS" => result.success = true,
            "FAILURE" => result.failure = true,
            "DELAY" => result.delay = true,
            _ => return Err(Text::Parameter),
        }
    }
    Ok(result)
}

/// Decoded to `addr-type;address`.
///
/// ```text
/// original-recipient-address = addr-type ";" xtext      ; RFC 3461 section 4.2: at most 500 characters
/// addr-type                  = "rfc822" / "utf-8" / atom ; "utf-8" has a form of its own: RFC 6533 section 3
/// ```
fn orcpt(value: &str) -> Parsed<String> {
    let (kind, address) = value.split_once(';').ok_or(Text::Parameter)?;
    let atom = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if value.len() > ORCPT_OCTETS || kind.is_empty() || address.is_empty() {
        return Err(Text::Parameter);
    }
    if !kind.bytes().all(atom) {
        return Err(Text::Parameter);
    }
    if kind.eq_ignore_ascii_case("utf-8") {
        return Ok(value.to_owned());
    }
    Ok(format!("{kind};{}", xtext(address)?))
}

/// Decodes xtext to printable ASCII.
///
/// ```text
/// xtext   = *( xchar / hexchar )                   ; RFC 3461 section 4
/// xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
/// hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
/// ```
fn xtext(value: &str) -> Parsed<String> {
    let mut decoded = String::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => {
                let high = bytes.next().and_then(hex).ok_or(Text::Parameter)?;
                let low = bytes.next().and_then(hex).ok_or(Text::Parameter)?;
                (high << 4) | low
            }
            b'!'..=b'~' => byte,
            _ => return Err(Text::Parameter),
        };
        if !(b' '..=b'~').contains(&byte) {
            return Err(Text::Parameter);
        }
        decoded.push(char::from(byte));
    }
    Ok(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}
