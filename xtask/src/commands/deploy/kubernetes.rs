//! The kustomize base.

use std::collections::BTreeMap;

use serde_json::Value;
use toolkit::{Result, workspace};

use super::target::{self, Target};
use super::{Checks, list, port, text};

const FOLDER: &str = "deploy/kubernetes";

pub(super) fn check(checks: &mut Checks) -> Result {
    let objects = objects(checks)?;
    let of = |kind: &str| {
        let mut all = objects.iter();
        all.find(|object| object["kind"] == kind)
            .cloned()
            .unwrap_or_default()
    };
    let deployment = of("Deployment");
    let pod = &deployment["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    let environment: BTreeMap<String, String> = list(&container["env"])
        .iter()
        .filter_map(|one| Some((text(&one["name"])?, text(&one["value"])?)))
        .collect();
    let target = Target {
        name: FOLDER,
        environment,
        grace: text(&pod["spec"]["terminationGracePeriodSeconds"]),
        secrets: "/run/secrets/helpdesk",
    };
    let addresses = target::check(&target, checks)?;
    ports(checks, container, pod, &addresses);
    selectors(checks, &deployment, &of);
    hardening(checks, pod);
    mounts(checks, pod, &of("PersistentVolumeClaim"));
    Ok(())
}

/// The objects of all files, which the kustomization lists.
fn objects(checks: &mut Checks) -> Result<Vec<Value>> {
    let kustomization = checks.yaml(&format!("{FOLDER}/kustomization.yaml"))?;
    let mut listed: Vec<String> = list(&kustomization[0]["resources"])
        .iter()
        .filter_map(text)
        .collect();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join(FOLDER))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "kustomization.yaml" {
            files.push(name);
        }
    }
    listed.sort();
    files.sort();
    checks.expect(
        listed == files,
        format!("{FOLDER}: {listed:?} are listed, {files:?} exist"),
    );
    let mut objects = Vec::new();
    for file in files {
        objects.extend(checks.yaml(&format!("{FOLDER}/{file}"))?);
    }
    Ok(objects)
}

fn ports(checks: &mut Checks, container: &Value, pod: &Value, addresses: &target::Addresses) {
    let of = |name: &str| {
        let mut all = list(&container["ports"]).iter();
        all.find(|one| one["name"] == name)
            .and_then(|one| text(&one["containerPort"]))
    };
    let (public, admin) = (of("http"), of("admin"));
    checks.equal(
        "port `http`",
        public,
        addresses.public.as_deref().and_then(port),
    );
    checks.equal(
        "port `admin`",
        admin.clone(),
        addresses.admin.as_deref().and_then(port),
    );
    let scraped = text(&pod["metadata"]["annotations"]["prometheus.io/port"]);
    checks.equal("the scraped port", scraped, admin);
    for (probe, path) in [
        ("startupProbe", "/readyz"),
        ("readinessProbe", "/readyz"),
        ("livenessProbe", "/livez"),
    ] {
        let get = &container[probe]["httpGet"];
        checks.equal(probe, text(&get["path"]), Some(path.to_owned()));
        checks.equal(probe, text(&get["port"]), Some("http".to_owned()));
    }
}

/// Everything that selects pods selects these.
fn selectors(checks: &mut Checks, deployment: &Value, of: &impl Fn(&str) -> Value) {
    let labels = deployment["spec"]["template"]["metadata"]["labels"].clone();
    let selected = [
        (
            "Deployment",
            deployment["spec"]["selector"]["matchLabels"].clone(),
        ),
        ("Service", of("Service")["spec"]["selector"].clone()),
        (
            "PodDisruptionBudget",
            of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"].clone(),
        ),
        (
            "NetworkPolicy",
            of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].clone(),
        ),
    ];
    for (kind, selector) in selected {
        let is_same = selector.is_object() && selector == labels;
        checks.expect(
            is_same,
            format!("{FOLDER}: {kind} selects {selector}, pods have {labels}"),
        );
    }
    let target = of("Service")["spec"]["ports"][0]["targetPort"].clone();
    checks.equal(
        "the port of the service",
        text(&target),
        Some("http".to_owned()),
    );
    let (replicas, available) = (
        deployment["spec"]["replicas"].as_u64(),
        of("PodDisruptionBudget")["spec"]["minAvailable"].as_u64(),
    );
    let can_drain = replicas
        .zip(available)
        .is_some_and(|(replicas, least)| replicas > least);
    checks.expect(can_drain, format!("{FOLDER}: no node can be drained"));
}

fn hardening(checks: &mut Checks, pod: &Value) {
    let spec = &pod["spec"];
    let yes = || Some("true".to_owned());
    checks.equal(
        "runAsNonRoot",
        text(&spec["securityContext"]["runAsNonRoot"]),
        yes(),
    );
    let containers = list(&spec["containers"])
        .iter()
        .chain(list(&spec["initContainers"]));
    for container in containers {
        let security = &container["securityContext"];
        checks.equal(
            "read-only root",
            text(&security["readOnlyRootFilesystem"]),
            yes(),
        );
        let escalation = text(&security["allowPrivilegeEscalation"]);
        checks.equal("escalation", escalation, Some("false".to_owned()));
        let dropped = text(&security["capabilities"]["drop"][0]);
        checks.equal("capabilities", dropped, Some("ALL".to_owned()));
    }
}

fn mounts(checks: &mut Checks, pod: &Value, claim: &Value) {
    let volumes = list(&pod["spec"]["volumes"]);
    for mount in list(&pod["spec"]["containers"][0]["volumeMounts"]) {
        let exists = volumes.iter().any(|volume| volume["name"] == mount["name"]);
        checks.expect(
            exists,
            format!("{FOLDER}: there is no volume {}", mount["name"]),
        );
    }
    let claimed = volumes
        .iter()
        .find_map(|one| text(&one["persistentVolumeClaim"]["claimName"]));
    checks.equal(
        "the claim of the files",
        claimed,
        text(&claim["metadata"]["name"]),
    );
}
