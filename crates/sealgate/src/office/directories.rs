//! The portal's questions about directories and DNS as sources of keys.

use async_trait::async_trait;
use sealgate_core::change::Change;
use sealgate_core::directory::{Bind, Directory, DirectoryUrl, NotADirectory, Place, Said, Word};
use sealgate_core::queue::Reach;
use sealgate_core::saying::Inputs;
use sealgate_core::tenant::{Settings, Smimea};
use sealgate_mail::{Address, Domain};
use sealgate_portal::auth::{Admin, Permitted};
use sealgate_portal::office::directories::{
    Directories, DirectoryBody, KeyDirectory, KeySources, SourceSaid,
};
use sealgate_portal::office::{Applied, Asked};
use sealgate_portal::problem::Problem;
use sealgate_smime::certificate::Certificate;

use super::{PortalOffice, few, problem, short};
use crate::directories::{Described, may_bind, protection};
use crate::gateway::now;
use crate::limits::{
    DIRECTORY_ATTRIBUTES, DIRECTORY_NAME_CHARS, ROOTS_CHARS, ROUTE_DOMAINS, SETTING_CHARS,
};
use crate::sources;

#[async_trait]
impl Directories for PortalOffice {
    async fn key_sources(&self, who: &Permitted<Admin>) -> Asked<KeySources> {
        let found = self.0.store.directories(who.organisation()).await;
        Ok(KeySources {
            directories: found.map_err(problem)?.into_iter().map(shown).collect(),
            smimea: self.settings_of(who)?.smimea,
        })
    }

    async fn put_directory(
        &self,
        who: &Permitted<Admin>,
        name: &str,
        body: &DirectoryBody,
    ) -> Asked<()> {
        let store = &self.0.store;
        let known = store.directories(who.organisation()).await;
        let known = known.map_err(problem)?;
        let before = known.iter().find(|directory| directory.name == name);
        let mut directory = described(name, body, before)?;
        let kept = before.filter(|old| old.place == directory.place);
        // The same place stays where it may be, whoever changes the rest.
        let may_stay = kept.map_or(Reach::Public, |old| old.reach);
        directory.reach = self.reach(who).min(may_stay);
        if directory.reach == Reach::Public {
            let Place { host, port } = &directory.place;
            self.must_be_public("url", host, *port).await?;
        }
        let told = (who.who(), now());
        let put = store
            .edit_directory(who.organisation(), (before, &directory), told)
            .await;
        put.map_err(problem)
    }

    async fn remove_directory(&self, who: &Permitted<Admin>, name: &str) -> Asked<()> {
        let (store, told) = (&self.0.store, (who.who(), now()));
        let removed = store.remove_directory(who.organisation(), name, told).await;
        removed.map_err(problem)
    }

    async fn set_smimea(&self, who: &Permitted<Admin>, smimea: Smimea) -> Asked<Applied> {
        let before = self.settings_of(who)?;
        let after = Settings { smimea, ..before };
        self.change(who, vec![Change::Settings { before, after }])
            .await
    }

    async fn try_sources(&self, who: &Permitted<Admin>, address: &str) -> Asked<Vec<SourceSaid>> {
        let address = Address::parse(address.trim());
        let address = address.map_err(|error| Problem::wrong("address", error))?;
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        let organisation = organisation.ok_or_else(Problem::not_found)?;
        if installation.managing(address.domain()).is_some() {
            return Err(Problem::wrong("address", Inputs::NotExternal {}));
        }
        let words = sources::try_all(&self.0, organisation, address).await;
        let words = words.map_err(|failure| Problem::internal(failure.message))?;
        let said = |word: Word| SourceSaid {
            text: word.to_string(),
            has_key: word.said == Said::Key,
            word,
        };
        Ok(words.into_iter().map(said).collect())
    }
}

impl PortalOffice {
    fn settings_of(&self, who: &Permitted<Admin>) -> Asked<Settings> {
        let installation = self.0.installation();
        let organisation = installation.organisation(who.organisation());
        Ok(organisation.ok_or_else(Problem::not_found)?.settings)
    }
}

fn shown(directory: Directory) -> KeyDirectory {
    let domains = directory.domains.iter().map(Domain::to_string);
    KeyDirectory {
        domains: domains.collect(),
        name: directory.name,
        host: directory.place.host,
        port: directory.place.port,
        protection: directory.protection,
        bind: directory.bind.map(|bind| bind.dn),
        base: directory.base,
        attributes: directory.attributes,
        roots: directory.roots,
    }
}

fn given(text: &Option<String>) -> Option<String> {
    let text = text.as_deref().map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// All of it is read for each recipient that is looked up.
fn bounded(body: &DirectoryBody) -> Asked<()> {
    few("domains", body.domains.len(), ROUTE_DOMAINS)?;
    few("attributes", body.attributes.len(), DIRECTORY_ATTRIBUTES)?;
    for attribute in &body.attributes {
        short("attributes", attribute, DIRECTORY_NAME_CHARS)?;
    }
    for (field, text, most) in [
        ("base", &body.base, SETTING_CHARS),
        ("bind", &body.bind, SETTING_CHARS),
        ("password", &body.password, SETTING_CHARS),
        ("roots", &body.roots, ROOTS_CHARS),
    ] {
        short(field, text.as_deref().unwrap_or_default(), most)?;
    }
    Ok(())
}

/// The directory that is meant. A password that is not given stays as it was `before`, for the same name at the same place.
fn described(name: &str, body: &DirectoryBody, before: Option<&Directory>) -> Asked<Directory> {
    bounded(body)?;
    let url: DirectoryUrl = body
        .url
        .trim()
        .parse()
        .map_err(|error: NotADirectory| Problem::wrong("url", error))?;
    let wrong = |field: &'static str| move |why: Inputs| Problem::wrong(field, why);
    let protection = protection(&url, body.starttls).map_err(wrong("starttls"))?;
    let bind = match given(&body.bind) {
        None => None,
        Some(dn) => {
            may_bind(&url, protection).map_err(wrong("url"))?;
            let kept = before.filter(|old| old.place == url.place);
            let kept = kept.and_then(|old| old.bind.as_ref());
            let kept = kept.filter(|old| old.dn == dn);
            let password = body.password.clone().filter(|given| !given.is_empty());
            let password = password.or_else(|| kept.map(|old| old.password.clone()));
            Some(Bind {
                dn,
                password: password.unwrap_or_default(),
            })
        }
    };
    let domain = |text: &String| {
        Domain::parse(text.trim()).map_err(|error| Problem::wrong("domains", error))
    };
    let described = Described {
        name: name.to_owned(),
        url,
        protection,
        bind,
        base: given(&body.base),
        domains: body.domains.iter().map(domain).collect::<Asked<_>>()?,
        attributes: body.attributes.clone(),
        roots: given(&body.roots).map(|text| roots(&text)).transpose()?,
    };
    described.directory().map_err(wrong("name"))
}

/// The roots in PEM form, and nothing else.
fn roots(text: &str) -> Asked<String> {
    let roots = Certificate::read_all(text.as_bytes());
    let roots = roots.map_err(|error| Problem::wrong("roots", error))?;
    Ok(roots.iter().map(Certificate::pem).collect())
}
