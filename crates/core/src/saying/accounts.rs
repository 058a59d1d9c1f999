//! What is told about users, invitations, API tokens and resellers.

use sealgate_mail::Timestamp;

use crate::permission::Role;
use crate::saying::Saying;

sayings! {
    /// About users, invitations, API tokens and resellers.
    Accounts {
        Disabled { name: String } = "disable user {name}", "Benutzer {name} gesperrt";
        Enabled { name: String } = "enable user {name}", "Benutzer {name} entsperrt";
        Operator { name: String } = "user {name} is an operator", "Benutzer {name} ist Betreiber";
        NoOperator { name: String } = "user {name} is no operator", "Benutzer {name} ist nicht mehr Betreiber";
        ForReseller { name: String, reseller: String } =
            "user {name} works for reseller {reseller}", "Benutzer {name} arbeitet für den Reseller {reseller}";
        ForNoReseller { name: String } =
            "user {name} works for no reseller", "Benutzer {name} arbeitet für keinen Reseller";
        PasswordSet { name: String } = "set the password of {name}", "Passwort von {name} gesetzt";
        LanguageSet { name: String, to: String } =
            "set the language of {name} to {to}", "Sprache von {name} auf {to} gesetzt";
        Removed { name: String } = "remove user {name}", "Benutzer {name} entfernt";
        SecondFactorSet { name: String } =
            "set up the second factor of {name}", "Zweiten Faktor von {name} eingerichtet";
        SecondFactorRemoved { name: String } =
            "remove the second factor of {name}", "Zweiten Faktor von {name} entfernt";
        RecoveryCodes { name: String } =
            "make new recovery codes for {name}", "Neue Wiederherstellungscodes für {name} gemacht";
        RecoveryCodeUsed {} = "use a recovery code", "Einen Wiederherstellungscode verwendet";
        SignedIn { address: String } = "sign in from {address}", "Angemeldet von {address}";
        SessionEnded { name: String } = "end a session of {name}", "Eine Sitzung von {name} beendet";
        OtherSessionsEnded { name: String } =
            "end the other sessions of {name}", "Die anderen Sitzungen von {name} beendet";
        PasswordsLocked { address: String, seconds: i64 } =
            "too many wrong passwords, the last from {address}: none is taken for {seconds} seconds",
            "Zu viele falsche Passwörter, das letzte von {address}: Für {seconds} Sekunden wird keines angenommen";
        SecondFactorsLocked { address: String, seconds: i64 } =
            "too many wrong second factors, the last from {address}: none is taken for {seconds} seconds",
            "Zu viele falsche zweite Faktoren, der letzte von {address}: Für {seconds} Sekunden wird keiner angenommen";
        HasRole { name: String, role: Role } =
            "user {name} has the role {role}", "Benutzer {name} hat die Rolle {role}";
        LeftOrganisation { name: String } =
            "remove user {name} from the organisation", "Benutzer {name} aus der Organisation entfernt";
        Invited { name: String, what: Box<Saying> } = "invite {name}: {what}", "{name} eingeladen: {what}";
        InvitationTaken { name: String } =
            "take back the invitation of {name}", "Einladung an {name} zurückgenommen";
        Accepted { what: Box<Saying> } = "accept: {what}", "Einladung angenommen: {what}";
        ToRole { role: Role } = "role {role}", "Rolle {role}";
        ToReseller { name: String } = "reseller {name}", "Reseller {name}";
        ToOperator {} = "operator", "Betreiber";
        ToNewPassword { name: String } = "new password of {name}", "neues Passwort von {name}";
        ToNewPasswordAlone { name: String } =
            "new password of {name}, no second factor", "neues Passwort von {name}, kein zweiter Faktor";
        TokenMade { name: String, what: Box<Saying>, until: Timestamp } =
            "make API token {name}, {what}, until {until}", "API-Token {name} gemacht, {what}, gültig bis {until}";
        TokenOfReseller {} = "for a reseller", "für einen Reseller";
        TokenOfInstallation {} = "for the whole installation", "für die ganze Installation";
        TokenRevoked { name: String } = "revoke API token {name}", "API-Token {name} widerrufen";
        ResellerMade { name: String } = "make reseller {name}", "Reseller {name} angelegt";
        ResellerRemoved { name: String } = "remove reseller {name}", "Reseller {name} entfernt";
        ResellerBooks { name: String } = "reseller {name} books", "Der Reseller {name} bucht";
        NoResellerBooks {} = "no reseller books", "Kein Reseller bucht";
    }
}
