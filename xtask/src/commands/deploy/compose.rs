//! `compose.yaml`, and the configuration of Prometheus and Grafana that it mounts.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use toolkit::process::find;
use toolkit::{Failure, Result, workspace};

use super::collector;
use super::target::{self, Target};
use super::{Checks, list, port, text};

const FILE: &str = "deploy/compose.yaml";

pub(super) fn check(checks: &mut Checks) -> Result {
    let compose = first(checks, FILE)?;
    let services = &compose["services"];
    let helpdesk = &services["helpdesk"];
    let environment: BTreeMap<String, String> = helpdesk["environment"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect();
    let target = Target {
        name: FILE,
        environment,
        grace: text(&helpdesk["stop_grace_period"]),
        secrets: "/run/secrets",
    };
    let addresses = target::check(&target, checks)?;
    let public = addresses.public.as_deref().and_then(port);
    let published = helpdesk["ports"][0].as_str().and_then(port);
    checks.equal("the published port", published, public);
    for service in ["helpdesk", "migrate"] {
        let service = &services[service];
        checks.equal(
            "read-only",
            text(&service["read_only"]),
            Some("true".into()),
        );
        checks.equal(
            "capabilities",
            text(&service["cap_drop"][0]),
            Some("ALL".into()),
        );
        let secrets = list(&service["secrets"]);
        for (name, path) in target
            .environment
            .iter()
            .filter(|(name, _)| name.ends_with("_FILE"))
        {
            let file = path.rsplit('/').next().unwrap_or_default();
            let is_mounted = secrets.iter().any(|secret| secret == file);
            checks.expect(
                is_mounted,
                format!("{FILE}: {name} is a secret that is not mounted"),
            );
        }
    }
    mounts(&compose, checks);
    collector::check(services, &target.environment, checks)?;
    monitoring(checks, services, addresses.admin.as_deref().and_then(port))
}

fn first(checks: &Checks, path: &str) -> Result<Value> {
    let mut documents = checks.yaml(path)?.into_iter();
    documents
        .next()
        .ok_or_else(|| Failure::new(format!("{path} is empty")))
}

/// What services use is declared, and what they mount exists.
fn mounts(compose: &Value, checks: &mut Checks) {
    for (name, service) in compose["services"].as_object().into_iter().flatten() {
        for secret in list(&service["secrets"]) {
            let secret = secret.as_str().unwrap_or_default();
            let is_declared = compose["secrets"][secret].is_object();
            checks.expect(
                is_declared,
                format!("{FILE}: {name} has the secret `{secret}`"),
            );
        }
        for other in service["depends_on"].as_object().into_iter().flatten() {
            let exists = compose["services"][other.0.as_str()].is_object();
            checks.expect(exists, format!("{FILE}: {name} needs `{}`", other.0));
        }
        for mount in list(&service["volumes"]) {
            let mount = mount.as_str().unwrap_or_default();
            let source = mount.split(':').next().unwrap_or_default();
            let exists = match source.strip_prefix("./") {
                Some(path) => workspace::root().join("deploy").join(path).exists(),
                None => compose["volumes"][source].is_object(),
            };
            checks.expect(exists, format!("{FILE}: {name} mounts `{source}`"));
        }
    }
}

fn monitoring(checks: &mut Checks, services: &Value, admin: Option<String>) -> Result {
    let path = "deploy/prometheus/prometheus.yml";
    let scrape = first(checks, path)?["scrape_configs"][0].clone();
    let discovery = &scrape["dns_sd_configs"][0];
    checks.equal("the scraped port", text(&discovery["port"]), admin);
    let is_service = discovery["names"][0]
        .as_str()
        .is_some_and(|name| services[name].is_object());
    checks.expect(is_service, format!("{path}: no service has this name"));
    // The rules select this job.
    checks.equal(
        "the job",
        text(&scrape["job_name"]),
        Some("helpdesk".into()),
    );
    if let Some(promtool) = find(&["promtool"]) {
        let config = workspace::root().join(path);
        checks.succeeds(
            path,
            Command::new(promtool).args(["check", "config"]).arg(config),
        );
    }
    let sources = first(
        checks,
        "deploy/grafana/provisioning/datasources/prometheus.yml",
    )?;
    let url = text(&sources["datasources"][0]["url"]).unwrap_or_default();
    let host = url
        .trim_start_matches("http://")
        .split(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    checks.expect(
        services[host.as_str()].is_object(),
        format!("Grafana reads from {url}"),
    );
    let port_of = services[host.as_str()]["ports"][0].as_str().and_then(port);
    checks.equal("the port of Prometheus", port(&url), port_of);
    let providers = first(
        checks,
        "deploy/grafana/provisioning/dashboards/helpdesk.yml",
    )?;
    let folder = text(&providers["providers"][0]["options"]["path"]).unwrap_or_default();
    let mounted = list(&services["grafana"]["volumes"]).iter().any(|mount| {
        let mount = mount.as_str().unwrap_or_default();
        mount.contains("helpdesk.json") && mount.contains(&folder)
    });
    checks.expect(mounted, format!("Grafana has no dashboard in {folder}"));
    Ok(())
}
