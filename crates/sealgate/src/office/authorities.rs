//! The portal's questions about authorities. What is secret in their settings goes in and never comes out.

use async_trait::async_trait;
use sealgate_core::authority::{
    AcmeSettings, Authority as Known, BUILT_IN, CommandSettings, Connector,
};
use sealgate_core::change::{Change, NewAuthority};
use sealgate_core::limits::RENEW_DAYS_MOST;
use sealgate_core::permission::Permission;
use sealgate_core::saying::{Inputs, Saying};
use sealgate_net::ca::acme::{Acme, new_account_key};
use sealgate_net::ca::command::ExternalCommand;
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::authorities::{
    AcmeShown, Authorities, Authority, AuthorityKind, CommandShown, PutAcme, PutAuthority,
    PutCommand,
};
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::Problem;

use super::{PortalOffice, few, is_plain, problem, short};
use crate::limits::{
    ACME_CONTACTS, AUTHORITY_COMMAND_SECONDS, AUTHORITY_NAME_CHARS, ROOTS_CHARS, SETTING_CHARS,
};

#[async_trait]
impl Authorities for PortalOffice {
    async fn authorities(&self, who: &Permitted<Admin>) -> Asked<Vec<Authority>> {
        let found = self.0.store.authorities(who.organisation()).await;
        let mut all: Vec<Authority> = found.map_err(problem)?.into_iter().map(shown).collect();
        // What runs on the machine of all organisations is the operator's: the others see its name.
        if !who.may(Permission::Operate) {
            all.iter_mut().for_each(|one| one.command = None);
        }
        Ok(all)
    }

    async fn put_authority(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        put: PutAuthority,
    ) -> Asked<Applied> {
        if put
            .renew_days
            .is_some_and(|days| !(1..=RENEW_DAYS_MOST).contains(&days))
        {
            let range = Inputs::Between {
                least: 1,
                most: RENEW_DAYS_MOST.into(),
            };
            return Err(Problem::wrong("renew_days", range));
        }
        let known = self.0.store.authorities(who.organisation()).await;
        let known = known.map_err(problem)?;
        let before = known.into_iter().find(|one| one.name == name);
        // What has its name keeps it, whoever gave it.
        if before.is_none() {
            fits_as_name(name)?;
        }
        let was = before.as_ref().map(|one| one.id);
        let becomes = NewAuthority {
            name: name.to_owned(),
            standard: put.standard,
            renew_days: put.renew_days,
            connector: self.authority_connector(who, before, put)?,
        };
        self.change(who, vec![Change::EditAuthority { was, becomes }])
            .await
    }

    async fn remove_authority(&self, who: &Permitted<Admin>, name: &str) -> Asked<Applied> {
        let known = self.0.store.authorities(who.organisation()).await;
        let known = known.map_err(problem)?;
        let found = known.iter().find(|one| one.name == name);
        if found.ok_or_else(Problem::not_found)?.standard {
            return Err(Problem::new("authority-standard"));
        }
        self.change(who, vec![Change::RemoveAuthority(name.to_owned())])
            .await
    }
}

impl PortalOffice {
    /// How the authority is spoken to from now on; none if as before.
    fn authority_connector(
        &self,
        who: &Permitted<Admin>,
        before: Option<Known>,
        put: PutAuthority,
    ) -> Asked<Option<Connector>> {
        let before = before.map(|one| one.connector);
        match (put.kind, &before) {
            (None, None) => Err(Problem::wrong(
                "kind",
                Inputs::OneOf {
                    words: "acme, command, by-hand".to_owned(),
                },
            )),
            (None, Some(_)) | (Some(AuthorityKind::BuiltIn), Some(Connector::BuiltIn)) => Ok(None),
            (Some(AuthorityKind::BuiltIn), _) | (Some(_), Some(Connector::BuiltIn)) => {
                Err(Problem {
                    detail: Some(Saying::words(BUILT_IN)),
                    ..Problem::new("authority-name")
                })
            }
            (Some(AuthorityKind::ByHand), _) => Ok(Some(Connector::ByHand)),
            // Whoever names a program runs it, on the machine of all organisations.
            (Some(AuthorityKind::Command), _) if !who.may(Permission::Operate) => {
                Err(Problem::new("authority-command"))
            }
            (Some(AuthorityKind::Command), _) => command(put.command).map(Some),
            (Some(AuthorityKind::Acme), _) => {
                let settings = acme(before, put.acme.unwrap_or_default())?;
                let allowed = self.0.config.fetch_allowed().map_err(Problem::internal)?;
                Acme::new(settings.clone(), self.0.dns.clone(), allowed)
                    .map_err(|failure| Problem::wrong("acme", failure.said))?;
                Ok(Some(Connector::Acme(settings)))
            }
        }
    }
}

/// Whether an authority may be called so.
fn fits_as_name(name: &str) -> Asked<()> {
    let is_word = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '/');
    if !is_word {
        return Err(Problem {
            field: Some("name"),
            ..Problem::new("authority-name")
        });
    }
    if !is_plain(name) {
        return Err(Problem::wrong("name", Inputs::PlainName {}));
    }
    short("name", name, AUTHORITY_NAME_CHARS)
}

fn command(put: Option<PutCommand>) -> Asked<Connector> {
    let put = put.ok_or_else(|| Problem::wrong("command", Inputs::Missing {}))?;
    let settings = CommandSettings {
        program: put.program,
        arguments: put.arguments,
        timeout: put.timeout.unwrap_or(AUTHORITY_COMMAND_SECONDS),
    };
    match ExternalCommand::problem(&settings) {
        Some(why) => Err(Problem::wrong("command", why)),
        None => Ok(Connector::Command(settings)),
    }
}

/// A change keeps the former settings for what they issued, so none may be large.
fn bounded(put: &PutAcme) -> Asked<()> {
    few("contact", put.contact.len(), ACME_CONTACTS)?;
    short("directory", &put.directory, SETTING_CHARS)?;
    for (field, text, most) in [
        ("external_account", &put.external_account, SETTING_CHARS),
        ("external_key", &put.external_key, SETTING_CHARS),
        ("tls_roots", &put.tls_roots, ROOTS_CHARS),
    ] {
        short(field, text.as_deref().unwrap_or_default(), most)?;
    }
    Ok(())
}

/// The account stays while the server stays; secrets that are not given anew stay, too.
fn acme(before: Option<Connector>, put: PutAcme) -> Asked<AcmeSettings> {
    bounded(&put)?;
    let directory = put.directory.trim().to_owned();
    let is_address = url::Url::parse(&directory).is_ok_and(|url| url.scheme() == "https");
    if !is_address {
        return Err(Problem {
            field: Some("directory"),
            ..Problem::new("authority-url")
        });
    }
    let before = match before {
        Some(Connector::Acme(settings)) if settings.directory == directory => Some(settings),
        _ => None,
    };
    let given = |text: Option<String>| {
        let text = text.map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let key_before = |account: &str| {
        let pair = before.as_ref()?.external_account.as_ref()?;
        (pair.0 == account).then(|| pair.1.clone())
    };
    let external_account = match (given(put.external_account), given(put.external_key)) {
        (None, None) => None,
        (None, Some(_)) => return Err(Problem::new("authority-account")),
        (Some(account), Some(key)) => Some((account, key)),
        (Some(account), None) => match key_before(&account) {
            Some(key) => Some((account, key)),
            None => return Err(Problem::new("authority-account")),
        },
    };
    let tls_roots = match put.tls_roots {
        Some(pem) => given(Some(pem)),
        None => before.as_ref().and_then(|before| before.tls_roots.clone()),
    };
    Ok(AcmeSettings {
        account_key: match before {
            Some(before) => before.account_key,
            None => new_account_key().map_err(Problem::internal)?,
        },
        directory,
        contact: put.contact,
        external_account,
        tls_roots,
        unsigned_challenges: put.unsigned_challenges,
    })
}

fn shown(authority: Known) -> Authority {
    let (kind, acme, command) = match authority.connector {
        Connector::BuiltIn => (AuthorityKind::BuiltIn, None, None),
        Connector::ByHand => (AuthorityKind::ByHand, None, None),
        Connector::Acme(settings) => {
            let shown = AcmeShown {
                directory: settings.directory,
                contact: settings.contact,
                external_account: settings.external_account.map(|(account, _)| account),
                own_tls_roots: settings.tls_roots.is_some(),
                unsigned_challenges: settings.unsigned_challenges,
            };
            (AuthorityKind::Acme, Some(shown), None)
        }
        Connector::Command(settings) => {
            let shown = CommandShown {
                program: settings.program,
                arguments: settings.arguments,
                timeout: settings.timeout,
            };
            (AuthorityKind::Command, None, Some(shown))
        }
    };
    Authority {
        name: authority.name,
        kind,
        standard: authority.standard,
        renew_days: authority.renew_days,
        acme,
        command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(external_account: Option<&str>, external_key: Option<&str>) -> PutAcme {
        PutAcme {
            directory: "https://ca.example/directory".into(),
            external_account: external_account.map(str::to_owned),
            external_key: external_key.map(str::to_owned),
            ..PutAcme::default()
        }
    }

    #[test]
    fn secrets_that_are_not_given_anew_stay() {
        let first = acme(None, put(Some("kid"), Some("key"))).unwrap();
        let table = [
            (put(Some("kid"), None), Some("key")),
            (put(Some("kid"), Some("new")), Some("new")),
            (put(None, None), None),
        ];
        for (put, expected) in table {
            let words = format!("{put:?}");
            let next = acme(Some(Connector::Acme(first.clone())), put).unwrap();
            assert_eq!(next.account_key, first.account_key, "{words}");
            let key = next.external_account.as_ref().map(|(_, key)| key.as_str());
            assert_eq!(key, expected, "{words}");
        }
        // Another server gets another account, and no secret of the former one.
        let elsewhere = PutAcme {
            directory: "https://other.example/directory".into(),
            ..put(Some("kid"), None)
        };
        let former = Some(Connector::Acme(first.clone()));
        let refused = acme(former.clone(), elsewhere.clone()).unwrap_err();
        assert_eq!(refused.code, "authority-account");
        let elsewhere = PutAcme {
            external_account: None,
            ..elsewhere
        };
        let other = acme(former, elsewhere).unwrap();
        assert_ne!(other.account_key, first.account_key);
        assert!(
            acme(
                None,
                PutAcme {
                    directory: "http://ca.example/".into(),
                    ..PutAcme::default()
                }
            )
            .is_err()
        );
    }

    /// What is changed is kept for what was issued with it: nobody fills the store with that.
    #[test]
    fn settings_are_not_large() {
        let good = put(Some("kid"), Some("key"));
        let long = |most: usize| Some("x".repeat(most + 1));
        let contact = vec!["a@example.com".parse().unwrap(); ACME_CONTACTS + 1];
        let table = [
            (
                "contact",
                "invalid",
                PutAcme {
                    contact,
                    ..good.clone()
                },
            ),
            (
                "external_account",
                "too-long-text",
                PutAcme {
                    external_account: long(SETTING_CHARS),
                    ..good.clone()
                },
            ),
            (
                "external_key",
                "too-long-text",
                PutAcme {
                    external_key: long(SETTING_CHARS),
                    ..good.clone()
                },
            ),
            (
                "tls_roots",
                "too-long-text",
                PutAcme {
                    tls_roots: long(ROOTS_CHARS),
                    ..good.clone()
                },
            ),
        ];
        for (field, code, put) in table {
            let refused = acme(None, put).unwrap_err();
            assert_eq!((refused.field, refused.code), (Some(field), code));
        }
        assert!(acme(None, good).is_ok());
    }
}
