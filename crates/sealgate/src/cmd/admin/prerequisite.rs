//! Prerequisites of domains, one line each, with what to do.

use clap::Args;
use sealgate_core::prerequisite::{Finding, State, judge};
use sealgate_mail::Domain;
use sealgate_net::dns::Dns;
use serde::Serialize;

use super::{Admin, domain};
use crate::cmd::{CODE_NO, Cli, Done, Failure, OrganisationArg, Output, configuration, table};
use crate::gateway::now;
use crate::prerequisites::Sources;

/// Options of `prerequisites`.
#[derive(Debug, Args)]
pub struct PrerequisitesArgs {
    /// Domain; all domains of the organisation's inbound routes if absent.
    #[arg(value_parser = domain)]
    domain: Option<Domain>,
    /// Organisation.
    #[command(flatten)]
    organisation: OrganisationArg,
}

/// The prerequisites of one domain.
#[derive(Serialize)]
struct Judged {
    domain: Domain,
    findings: Vec<Finding>,
}

/// Shows how the prerequisites of domains stand.
pub async fn prerequisites(cli: &Cli, arguments: &PrerequisitesArgs, output: Output) -> Done {
    let admin = Admin::open(cli).await?;
    let id = admin.organisation_id(&arguments.organisation).await?;
    let installation = admin.store.installation().await?;
    let organisation = installation
        .organisation(id)
        .ok_or_else(|| Failure::new("the organisation is gone"))?;
    let config = configuration(cli)?;
    let dns = Dns::new(config.dns_config().map_err(Failure::new)?)?;
    let sources = Sources {
        config: &config,
        store: &admin.store,
        dns: &dns,
    };
    let routed = organisation.routes.iter().flat_map(|route| &route.domains);
    let domains: Vec<Domain> = match &arguments.domain {
        Some(domain) => vec![domain.clone()],
        None => routed.cloned().collect(),
    };
    if domains.is_empty() {
        return Err(Failure::new(
            "there is no inbound route yet; add one with: sealgate route add NAME --domain DOMAIN --host SERVER",
        ));
    }
    let mut judged = Vec::new();
    for domain in domains {
        let facts = sources.facts(organisation, &domain, now()).await?;
        let findings = judge(&facts);
        judged.push(Judged { domain, findings });
    }
    output.show(&judged, |judged| lines(judged))?;
    verdict(&judged)
}

fn lines(judged: &[Judged]) -> String {
    let rows: Vec<_> = judged
        .iter()
        .flat_map(|one| one.findings.iter().map(|finding| row(&one.domain, finding)))
        .collect();
    table(&["DOMAIN", "PREREQUISITE", "STATE", "FOUND"], &rows)
}

fn row(domain: &Domain, finding: &Finding) -> Vec<String> {
    let to_do = finding.to_do.as_ref().map(|what| format!("; {what}"));
    vec![
        domain.to_string(),
        finding.prerequisite.as_str().to_owned(),
        finding.state.as_str().to_owned(),
        format!("{}{}", finding.text, to_do.unwrap_or_default()),
    ]
}

fn verdict(judged: &[Judged]) -> Done {
    let missing = |one: &&Judged| {
        let mut findings = one.findings.iter();
        findings.any(|finding| finding.state == State::NotMet)
    };
    let domains: Vec<&str> = judged
        .iter()
        .filter(missing)
        .map(|one| one.domain.as_str())
        .collect();
    match domains.as_slice() {
        [] => Ok(()),
        some => Err(Failure {
            message: format!("not all prerequisites are met for {}", some.join(", ")),
            code: CODE_NO,
        }),
    }
}
