//! What reports say, in English and German: one catalogue, a sentence on what happened and one on what to do.

use super::{News, ReportInput, Reported, kind, original_subject};
use crate::failure::{RefusalReason, ReportKind};
use crate::outcome::{InboundRefusal, OutboundRefusal};
use crate::queue::Problem;
use crate::saying::Told;
use crate::tenant::Language;

/// The text part: in the organisation's language, or for strangers in English and then in German.
pub(super) fn body(input: &ReportInput<'_>) -> String {
    match input.language {
        Some(language) => in_language(input, language),
        None => format!(
            "{}\n--------\n\n{}",
            in_language(input, Language::En),
            in_language(input, Language::De)
        ),
    }
}

fn in_language(input: &ReportInput<'_>, language: Language) -> String {
    let words = words(language);
    let mut out = format!("{}\n\n", opening(kind(input), language));
    if let Some(subject) = original_subject(input.header) {
        out.push_str(&format!("{}: {subject}\n", words.subject));
    }
    out.push_str(&format!("{}: {}\n", words.arrived, input.arrival.rfc5322()));
    for reported in input.recipients {
        out.push_str(&recipient(reported, language));
    }
    out
}

fn recipient(reported: &Reported, language: Language) -> String {
    let words = words(language);
    let address = reported.recipient.address.to_unicode();
    let mut out = format!("\n{}: {address}\n", words.recipient);
    let (happened, to_do) = match &reported.news {
        News::Failed(reason) => failed(reason, language),
        News::Delayed { .. } => delayed(language),
        News::Relayed => relayed(language),
    };
    out.push_str(&format!("{happened}\n{to_do}\n"));
    if let News::Delayed { until, .. } = &reported.news {
        out.push_str(&format!("{}: {}\n", words.until, until.rfc5322()));
    }
    if let Some(detail) = detail(reported, language) {
        out.push_str(&format!("({}: {detail})\n", words.detail));
    }
    out
}

/// What the other side said, or what we saw; our own reply says no more than the text does.
fn detail(reported: &Reported, language: Language) -> Option<String> {
    let problem = match &reported.news {
        News::Failed(RefusalReason::Delivery(problem)) | News::Delayed { problem, .. } => problem,
        News::Failed(_) | News::Relayed => return None,
    };
    let said = problem.reply.as_ref().map(ToString::to_string);
    let said =
        said.unwrap_or_else(|| format!("{} {}", problem.status, problem.said.told(language)));
    Some(match &reported.remote {
        Some(remote) => format!("{remote}: {said}"),
        None => said,
    })
}

struct Words {
    subject: &'static str,
    arrived: &'static str,
    recipient: &'static str,
    until: &'static str,
    detail: &'static str,
}

const fn words(language: Language) -> Words {
    match language {
        Language::En => Words {
            subject: "Subject",
            arrived: "Received",
            recipient: "Recipient",
            until: "It will be tried until",
            detail: "Technical detail",
        },
        Language::De => Words {
            subject: "Betreff",
            arrived: "Eingegangen",
            recipient: "Empf\u{e4}nger",
            until: "Es wird weiter versucht bis",
            detail: "Technische Angabe",
        },
    }
}

/// The subject line without the mail's own subject.
pub(super) const fn title(kind: ReportKind, language: Language) -> &'static str {
    match (kind, language) {
        (ReportKind::Failure, Language::En) => "Not delivered",
        (ReportKind::Failure, Language::De) => "Nicht zugestellt",
        (ReportKind::Delay, Language::En) => "Delayed",
        (ReportKind::Delay, Language::De) => "Verz\u{f6}gert",
        (ReportKind::Relayed, Language::En) => "Handed on",
        (ReportKind::Relayed, Language::De) => "Weitergegeben",
    }
}

const fn opening(kind: ReportKind, language: Language) -> &'static str {
    match (kind, language) {
        (ReportKind::Failure, Language::En) => {
            "Your mail was not delivered to the recipients named below."
        }
        (ReportKind::Failure, Language::De) => {
            "Ihre E-Mail wurde den unten genannten Empf\u{e4}ngern nicht zugestellt."
        }
        (ReportKind::Delay, Language::En) => {
            "Your mail has not reached the recipients named below yet. You need not send it again."
        }
        (ReportKind::Delay, Language::De) => {
            "Ihre E-Mail hat die unten genannten Empf\u{e4}nger noch nicht erreicht. Sie m\u{fc}ssen sie nicht erneut senden."
        }
        (ReportKind::Relayed, Language::En) => {
            "Your mail was handed on to the recipients named below, as you asked to be told."
        }
        (ReportKind::Relayed, Language::De) => {
            "Ihre E-Mail wurde f\u{fc}r die unten genannten Empf\u{e4}nger weitergegeben. Sie hatten um diese Nachricht gebeten."
        }
    }
}

/// What happened, and what to do now.
pub(super) type Sentences = (&'static str, &'static str);

const fn delayed(language: Language) -> Sentences {
    match language {
        Language::En => (
            "The recipient's mail server could not be reached or did not take the mail yet.",
            "There is nothing to do: it is being tried again, and you will be told if it fails.",
        ),
        Language::De => (
            "Der Mailserver des Empf\u{e4}ngers war nicht erreichbar oder hat die E-Mail noch nicht angenommen.",
            "Sie m\u{fc}ssen nichts tun: Es wird weiter versucht, und Sie werden benachrichtigt, wenn es scheitert.",
        ),
    }
}

const fn relayed(language: Language) -> Sentences {
    match language {
        Language::En => (
            "The mail was accepted and handed on.",
            "No further message will tell whether it was delivered or read.",
        ),
        Language::De => (
            "Die E-Mail wurde angenommen und weitergegeben.",
            "Ob sie zugestellt oder gelesen wurde, wird nicht mehr gemeldet.",
        ),
    }
}

pub(super) const fn failed(reason: &RefusalReason, language: Language) -> Sentences {
    match (reason, language) {
        (RefusalReason::Inbound(reason), _) => inbound(*reason, language),
        (RefusalReason::Outbound(reason), _) => outbound(*reason, language),
        (RefusalReason::Delivery(problem), _) => delivery(problem, language),
        (RefusalReason::AllOrNothing, Language::En) => (
            "It was not sent because another recipient of the same mail was refused.",
            "Send it to each recipient alone, or solve the problem of the other recipient first.",
        ),
        (RefusalReason::AllOrNothing, Language::De) => (
            "Sie wurde nicht gesendet, weil ein anderer Empf\u{e4}nger derselben E-Mail abgelehnt wurde.",
            "Senden Sie sie jedem Empf\u{e4}nger einzeln, oder l\u{f6}sen Sie zuerst das Problem des anderen Empf\u{e4}ngers.",
        ),
        (RefusalReason::Loop, Language::En) => (
            "It went round in a circle between mail servers.",
            "Tell your administrator: a forwarding is set up wrongly.",
        ),
        (RefusalReason::Loop, Language::De) => (
            "Sie wurde zwischen Mailservern im Kreis geschickt.",
            "Wenden Sie sich an Ihren Administrator: Eine Weiterleitung ist falsch eingerichtet.",
        ),
    }
}

const fn inbound(reason: InboundRefusal, language: Language) -> Sentences {
    use InboundRefusal as R;
    match (reason, language) {
        (R::NotEncrypted, Language::En) => (
            "The recipient accepts only mail that is encrypted with S/MIME, and this mail was not.",
            "Encrypt it with the recipient's certificate and send it again. A signed mail from the recipient holds the certificate.",
        ),
        (R::NotEncrypted, Language::De) => (
            "Der Empf\u{e4}nger nimmt nur mit S/MIME verschl\u{fc}sselte E-Mails an, und diese war nicht verschl\u{fc}sselt.",
            "Verschl\u{fc}sseln Sie sie mit dem Zertifikat des Empf\u{e4}ngers und senden Sie sie erneut. Eine signierte E-Mail des Empf\u{e4}ngers enth\u{e4}lt das Zertifikat.",
        ),
        (R::NoKey, Language::En) => (
            "The mail is encrypted, but not to a certificate of this recipient.",
            "Ask the recipient for a signed mail with the current certificate, and send your mail again.",
        ),
        (R::NoKey, Language::De) => (
            "Die E-Mail ist verschl\u{fc}sselt, aber nicht f\u{fc}r ein Zertifikat dieses Empf\u{e4}ngers.",
            "Bitten Sie den Empf\u{e4}nger um eine signierte E-Mail mit dem aktuellen Zertifikat und senden Sie Ihre E-Mail erneut.",
        ),
        (R::CouldNotDecrypt, Language::En) => (
            "The mail is encrypted and could not be decrypted.",
            "Ask the recipient for a signed mail with the current certificate, and send your mail again.",
        ),
        (R::CouldNotDecrypt, Language::De) => (
            "Die E-Mail ist verschl\u{fc}sselt und konnte nicht entschl\u{fc}sselt werden.",
            "Bitten Sie den Empf\u{e4}nger um eine signierte E-Mail mit dem aktuellen Zertifikat und senden Sie Ihre E-Mail erneut.",
        ),
    }
}

const fn outbound(reason: OutboundRefusal, language: Language) -> Sentences {
    use OutboundRefusal as R;
    match (reason, language) {
        (R::NoCertificate, Language::En) => (
            "Mail to this recipient must be encrypted, and your mailbox has no valid certificate.",
            "Ask your administrator to activate S/MIME for your mailbox.",
        ),
        (R::NoCertificate, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen verschl\u{fc}sselt werden, und Ihr Postfach hat kein g\u{fc}ltiges Zertifikat.",
            "Bitten Sie Ihren Administrator, S/MIME f\u{fc}r Ihr Postfach zu aktivieren.",
        ),
        (R::NoKey, Language::En) => (
            "Mail to this recipient must be encrypted, and no certificate of the recipient is known.",
            "Ask the recipient to send you a signed mail; then send yours again.",
        ),
        (R::NoKey, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen verschl\u{fc}sselt werden, und es ist kein Zertifikat des Empf\u{e4}ngers bekannt.",
            "Bitten Sie den Empf\u{e4}nger, Ihnen eine signierte E-Mail zu senden; senden Sie Ihre dann erneut.",
        ),
        (R::NoCertificateNoKey, Language::En) => (
            "Mail to this recipient must be encrypted; your mailbox has no valid certificate, and no certificate of the recipient is known.",
            "Ask your administrator to activate S/MIME for your mailbox, and the recipient to send you a signed mail.",
        ),
        (R::NoCertificateNoKey, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen verschl\u{fc}sselt werden; Ihr Postfach hat kein g\u{fc}ltiges Zertifikat, und es ist kein Zertifikat des Empf\u{e4}ngers bekannt.",
            "Bitten Sie Ihren Administrator, S/MIME f\u{fc}r Ihr Postfach zu aktivieren, und den Empf\u{e4}nger um eine signierte E-Mail.",
        ),
        (R::WeakKey, Language::En) => (
            "Mail to this recipient must be encrypted, and the recipient supports only methods that are too weak.",
            "Ask the recipient to get a new certificate or a newer mail program and to send you a signed mail.",
        ),
        (R::WeakKey, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen verschl\u{fc}sselt werden, und der Empf\u{e4}nger unterst\u{fc}tzt nur zu schwache Verfahren.",
            "Bitten Sie den Empf\u{e4}nger um ein neues Zertifikat oder ein neueres Mailprogramm und um eine signierte E-Mail.",
        ),
        (R::ForeignFrom, Language::En) => (
            "Mail to this recipient must be signed and encrypted, and the sender in the mail is not one address of your organisation.",
            "Send it with your own address as the only sender.",
        ),
        (R::ForeignFrom, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen signiert und verschl\u{fc}sselt werden, und als Absender steht nicht genau eine Adresse Ihrer Organisation.",
            "Senden Sie sie mit Ihrer eigenen Adresse als einzigem Absender.",
        ),
        (R::EncryptedToOthers, Language::En) => (
            "Your mail program encrypted the mail, but not for this recipient.",
            "Send it unencrypted: it is encrypted for the recipient on its way out.",
        ),
        (R::EncryptedToOthers, Language::De) => (
            "Ihr Mailprogramm hat die E-Mail verschl\u{fc}sselt, aber nicht f\u{fc}r diesen Empf\u{e4}nger.",
            "Senden Sie sie unverschl\u{fc}sselt: Sie wird beim Versand f\u{fc}r den Empf\u{e4}nger verschl\u{fc}sselt.",
        ),
        (R::EncryptedMalformed, Language::En) => (
            "The encryption that your mail program made is damaged.",
            "Send it unencrypted: it is encrypted for the recipient on its way out.",
        ),
        (R::EncryptedMalformed, Language::De) => (
            "Die Verschl\u{fc}sselung Ihres Mailprogramms ist besch\u{e4}digt.",
            "Senden Sie sie unverschl\u{fc}sselt: Sie wird beim Versand f\u{fc}r den Empf\u{e4}nger verschl\u{fc}sselt.",
        ),
        (R::Unanswered, Language::En) => (
            "Mail to this recipient must be encrypted, and a directory that may have the recipient's certificate gives no answer.",
            "Send the mail again later, or ask your administrator.",
        ),
        (R::Unanswered, Language::De) => (
            "E-Mails an diesen Empf\u{e4}nger m\u{fc}ssen verschl\u{fc}sselt werden, und ein Verzeichnis, in dem das Zertifikat des Empf\u{e4}ngers stehen kann, antwortet nicht.",
            "Senden Sie die E-Mail sp\u{e4}ter erneut, oder wenden Sie sich an Ihren Administrator.",
        ),
    }
}

/// By subject and detail of the status code (RFC 3463 section 3).
const fn delivery(problem: &Problem, language: Language) -> Sentences {
    match (problem.status.1, problem.status.2, language) {
        (1, 1, Language::En) => (
            "The recipient's mail server knows no such mailbox.",
            "Check the address and send the mail again.",
        ),
        (1, 1, Language::De) => (
            "Der Mailserver des Empf\u{e4}ngers kennt dieses Postfach nicht.",
            "Pr\u{fc}fen Sie die Adresse und senden Sie die E-Mail erneut.",
        ),
        (1, 2 | 10, Language::En) => (
            "The domain behind the @ does not exist or takes no mail.",
            "Check the address and send the mail again.",
        ),
        (1, 2 | 10, Language::De) => (
            "Die Domain hinter dem @ gibt es nicht, oder sie nimmt keine E-Mails an.",
            "Pr\u{fc}fen Sie die Adresse und senden Sie die E-Mail erneut.",
        ),
        (2, 2, Language::En) => (
            "The recipient's mailbox is full.",
            "Tell the recipient in another way, and send the mail again later.",
        ),
        (2, 2, Language::De) => (
            "Das Postfach des Empf\u{e4}ngers ist voll.",
            "Verst\u{e4}ndigen Sie den Empf\u{e4}nger auf anderem Weg und senden Sie die E-Mail sp\u{e4}ter erneut.",
        ),
        (2 | 3, 3 | 4, Language::En) => (
            "The mail is larger than the recipient's mail server takes.",
            "Send it with smaller attachments.",
        ),
        (2 | 3, 3 | 4, Language::De) => (
            "Die E-Mail ist gr\u{f6}\u{df}er, als der Mailserver des Empf\u{e4}ngers annimmt.",
            "Senden Sie sie mit kleineren Anh\u{e4}ngen.",
        ),
        (4, 7, Language::En) => (
            "The recipient's mail server did not take the mail for so long that we gave up.",
            "Send it again later, or tell the recipient in another way.",
        ),
        (4, 7, Language::De) => (
            "Der Mailserver des Empf\u{e4}ngers hat die E-Mail so lange nicht angenommen, dass wir aufgegeben haben.",
            "Senden Sie sie sp\u{e4}ter erneut, oder verst\u{e4}ndigen Sie den Empf\u{e4}nger auf anderem Weg.",
        ),
        (7, _, Language::En) => (
            "The recipient's mail server refuses the mail for reasons of security.",
            "Show the technical detail to your administrator.",
        ),
        (7, _, Language::De) => (
            "Der Mailserver des Empf\u{e4}ngers lehnt die E-Mail aus Sicherheitsgr\u{fc}nden ab.",
            "Zeigen Sie Ihrem Administrator die technische Angabe.",
        ),
        (_, _, Language::En) => (
            "The recipient's mail server did not accept the mail.",
            "If the technical detail does not help you, show it to your administrator.",
        ),
        (_, _, Language::De) => (
            "Der Mailserver des Empf\u{e4}ngers hat die E-Mail nicht angenommen.",
            "Wenn Ihnen die technische Angabe nicht weiterhilft, zeigen Sie sie Ihrem Administrator.",
        ),
    }
}
