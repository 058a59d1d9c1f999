//! `quickstart`: from an empty machine to a portal to sign in to. Overwrites nothing, and takes away what it made if it fails.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use sealgate_core::tenant::Settings;
use sealgate_mail::{Address, Domain};
use sealgate_store::{Invited, MasterKey};
use serde::Serialize;
use url::Url;

use super::admin::Admin;
use super::user::{self, Link};
use super::{Cli, Done, Failure, Output, address_argument};
use crate::config::{Config, EXAMPLE};
use crate::gateway::now;

/// Options of `quickstart`.
#[derive(Debug, Args)]
pub struct QuickstartArgs {
    /// Mail address of the first operator, which is the name to sign in with.
    #[arg(value_parser = address_argument)]
    operator: Address,
    /// Name of the first organisation.
    #[arg(long, value_name = "NAME", default_value = "first")]
    organisation: String,
    /// Data directory.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/sealgate")]
    data: PathBuf,
    /// Name of this gateway in greetings and header fields; the domain of the operator with `gateway.` in front if absent.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Where mail from anyone comes in.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:25")]
    inbound: SocketAddr,
    /// Where mail of sending clients comes in.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:587")]
    outbound: SocketAddr,
    /// Where the portal listens, on this machine only.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    portal: SocketAddr,
    /// Where browsers find the portal; its own address if absent.
    #[arg(long, value_name = "URL")]
    portal_url: Option<Url>,
}

#[derive(Serialize)]
struct Started {
    configuration: PathBuf,
    master_key: PathBuf,
    data: PathBuf,
    organisation: String,
    portal: String,
    operator: Link,
}

/// Sets everything up for the first start.
pub async fn quickstart(cli: &Cli, arguments: &QuickstartArgs, output: Output) -> Done {
    let places = Places::of(cli, arguments)?;
    let mut made = Made::default();
    match set_up(cli, arguments, &places, &mut made).await {
        Ok(started) => output.show(&started, human),
        Err(failure) => {
            made.take_away();
            Err(failure)
        }
    }
}

/// Where everything goes.
struct Places {
    configuration: PathBuf,
    master_key: PathBuf,
    data: PathBuf,
}

impl Places {
    /// Refuses what is there.
    fn of(cli: &Cli, arguments: &QuickstartArgs) -> Result<Self, Failure> {
        let configuration = std::path::absolute(&cli.config)?;
        let beside = configuration.parent().unwrap_or(Path::new("/"));
        let places = Self {
            master_key: beside.join("master.key"),
            data: std::path::absolute(&arguments.data)?,
            configuration,
        };
        for path in [&places.configuration, &places.master_key, &places.data] {
            if path.symlink_metadata().is_ok() {
                return Err(Failure::new(format_args!(
                    "{} is there already: quickstart is for an empty machine and overwrites nothing; name other places with --config and --data",
                    path.display()
                )));
            }
        }
        Ok(places)
    }
}

/// What was made, to be taken away if the rest fails.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    fn take_away(self) {
        for path in self.0.into_iter().rev() {
            let gone = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            if let Err(error) = gone {
                eprintln!("sealgate: {} could not be removed: {error}", path.display());
            }
        }
    }
}

async fn set_up(
    cli: &Cli,
    arguments: &QuickstartArgs,
    places: &Places,
    made: &mut Made,
) -> Result<Started, Failure> {
    let text = configuration(arguments, places)?;
    for path in [&places.configuration, &places.data] {
        let above = path.parent().unwrap_or(Path::new("/"));
        if !above.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(above)?;
            made.0.push(above.to_owned());
        }
    }
    MasterKey::create_file(&places.master_key)?;
    made.0.push(places.master_key.clone());
    write_new(&places.configuration, &text)?;
    made.0.push(places.configuration.clone());
    // The store makes the data directory; what it leaves there when it fails goes with it.
    made.0.push(places.data.clone());
    let admin = Admin::open(cli).await?;
    let organisation = &arguments.organisation;
    admin
        .store
        .create_organisation(organisation, Settings::default(), "quickstart", now())
        .await?;
    let operator = user::link(&admin, &arguments.operator, Invited::Operator).await?;
    let portal = admin.portal_url()?.to_string();
    admin.store.close().await;
    Ok(Started {
        configuration: places.configuration.clone(),
        master_key: places.master_key.clone(),
        data: places.data.clone(),
        organisation: organisation.clone(),
        portal,
        operator,
    })
}

fn write_new(path: &Path, text: &str) -> Done {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

/// The commented example with these values; it is read once, so that nothing is written that would not start.
fn configuration(arguments: &QuickstartArgs, places: &Places) -> Result<String, Failure> {
    let hostname = match &arguments.hostname {
        Some(name) => name.clone(),
        None => format!("gateway.{}", arguments.operator.domain().as_str()),
    };
    let hostname = Domain::parse(&hostname)?;
    let url = match &arguments.portal_url {
        Some(url) => url.to_string(),
        None => format!("http://{}", arguments.portal),
    };
    let list = |address: SocketAddr| format!("[\"{address}\"]");
    let values = [
        ("", "data", quoted(&places.data.display())),
        ("", "master-key", quoted(&places.master_key.display())),
        ("", "hostname", quoted(&hostname.as_str())),
        ("[listen]", "inbound", list(arguments.inbound)),
        ("[listen]", "outbound", list(arguments.outbound)),
        ("[portal]", "listen", list(arguments.portal)),
        ("[portal]", "url", quoted(&url.trim_end_matches('/'))),
    ];
    let text = filled(&values);
    Config::parse(&text, &places.configuration)?;
    Ok(text)
}

fn quoted(text: &impl ToString) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// The example with values in place of its own: section, key, value. `[tls]` needs files that are not there yet, so it becomes a
/// comment; `[portal]` stops being one.
fn filled(values: &[(&str, &str, String)]) -> String {
    let mut section = String::new();
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let plain = line.strip_prefix("# ").unwrap_or(line);
        if plain.starts_with('[') {
            section = plain
                .split_inclusive(']')
                .next()
                .unwrap_or_default()
                .to_owned();
        }
        let key = plain.split_once(" = ").map_or("", |(key, _)| key);
        let given = values
            .iter()
            .find(|(of, name, _)| *of == section && *name == key);
        let changed = match (section.as_str(), given) {
            (_, Some((_, name, value))) if !text.contains(&format!("\n{name} = {value}")) => {
                let comment = plain.split_once("  # ").map_or("", |(_, comment)| comment);
                format!("{:<43} # {comment}", format!("{name} = {value}"))
            }
            ("[portal]", None) if plain.starts_with('[') => plain.to_owned(),
            ("[tls]", None) if !line.is_empty() && !line.starts_with('#') => format!("# {line}"),
            _ => line.to_owned(),
        };
        text.push_str(changed.trim_end_matches("# ").trim_end());
        text.push('\n');
    }
    text
}

fn human(started: &Started) -> String {
    let config = started.configuration.display();
    format!(
        "Written:\n  {config}  the configuration, with comments\n  {}  the master key\n  {}  the data directory\n\
         Made: organisation {}.\n\n\
         What to do next:\n\
         1. Copy the master key to a safe place, apart from the data. Without it nothing can be read again.\n\
         2. Start the gateway:  sealgate serve --config {config}\n\
         3. Open this link in a browser on this machine, and choose a password:\n   {}\n   \
         It is for {}, works once, until {}.\n\
         The portal is at {} from then on. For other machines give it a certificate, or a proxy that has one: [portal] in the configuration.\n",
        started.master_key.display(),
        started.data.display(),
        started.organisation,
        started.operator.link,
        started.operator.name,
        started.operator.expires,
        started.portal,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_the_example_with_other_values() {
        let values = [
            ("", "data", "\"/x/data\"".to_owned()),
            ("", "master-key", "\"/x/key\"".to_owned()),
            ("", "hostname", "\"gw.example\"".to_owned()),
            ("[listen]", "inbound", "[\"127.0.0.1:1025\"]".to_owned()),
            ("[listen]", "outbound", "[\"127.0.0.1:1587\"]".to_owned()),
            ("[portal]", "listen", "[\"127.0.0.1:1443\"]".to_owned()),
            ("[portal]", "url", "\"http://127.0.0.1:1443\"".to_owned()),
        ];
        let text = filled(&values);
        let config = Config::parse(&text, Path::new("/x/sealgate.toml")).unwrap();
        assert_eq!(config.data, Path::new("/x/data"));
        assert_eq!(config.hostname.as_str(), "gw.example");
        assert!(config.tls.is_none() && config.publish.is_none());
        let portal = config.portal.unwrap();
        assert_eq!(portal.url.as_str(), "http://127.0.0.1:1443/");
        assert!(portal.oidc.is_none() && portal.certificate.is_none());
        assert_eq!(text.lines().count(), EXAMPLE.lines().count());
    }
}
