"""The manifests are valid Kubernetes, and what they say of Hearth is so: settings, commands, ports, references."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from fhir_server import cli
from fhir_server.settings import SETTINGS, load

FOLDER = Path(__file__).resolve().parents[1] / "kubernetes"
VERSION = "1.33"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())


def documents() -> list[dict[str, Any]]:
    files = [*(FOLDER / name for name in KUSTOMIZATION["resources"]), FOLDER / "secret.example.yaml"]
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


DOCUMENTS = documents()


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in DOCUMENTS if each["kind"] == kind}


def pods() -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """(name, pod specification, labels) of what runs."""
    for name, each in (of("StatefulSet") | of("Job")).items():
        template = each["spec"]["template"]
        yield name, template["spec"], template["metadata"]["labels"]


def test_every_file_is_one_of_the_kustomization() -> None:
    listed = {*KUSTOMIZATION["resources"], "kustomization.yaml", "secret.example.yaml"}
    assert {path.name for path in FOLDER.glob("*.yaml")} == listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_it_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize(
    ("name", "spec", "labels"), list(pods()), ids=lambda value: value if isinstance(value, str) else ""
)
class TestPods:
    def test_the_command_line_is_one(self, name: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
        [container] = spec["containers"]
        arguments = cli._parser().parse_args(container["args"])
        assert arguments.command is not None and getattr(arguments, "part", None) in (name, None)

    def test_settings_exist_and_go_together(self, name: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
        environ = environment(spec)
        known = {f"HEARTH_{row.name}" for row in SETTINGS}
        assert {variable.removesuffix("_FILE") for variable in environ} <= known
        secrets = of("Secret")["hearth"]["stringData"]
        files = {variable: value for variable, value in environ.items() if variable.endswith("_FILE")}
        assert {Path(value).name for value in files.values()} <= secrets.keys()
        settings = load({}, {variable: value for variable, value in environ.items() if variable not in files})
        assert settings.stop_seconds + 10 <= spec.get("terminationGracePeriodSeconds", 999)
        assert name not in ("hl7", "video") or settings.values[f"{name.upper()}_HOST"] == "0.0.0.0"

    def test_what_it_mounts_is_there(self, name: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
        [container] = spec["containers"]
        claims = of("StatefulSet").get(name, {"spec": {}})["spec"].get("volumeClaimTemplates", [])
        volumes = {each["name"]: each for each in spec["volumes"]} | {c["metadata"]["name"]: {} for c in claims}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
        for volume in volumes.values():
            assert "configMap" not in volume or volume["configMap"]["name"] in of("ConfigMap")
            assert "secret" not in volume or volume["secret"]["secretName"] in of("Secret")
        assert name == "migrate" or [claim["metadata"]["name"] for claim in claims] == ["data"]  # spool, facts, witness

    def test_it_runs_restricted(self, name: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
        [container] = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["automountServiceAccountToken"] is False
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] and context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not any("hostPort" in port for port in container.get("ports", ()))
        assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]

    def test_its_ports_and_probes_are_those_of_the_process(
        self, name: str, spec: dict[str, Any], labels: dict[str, str]
    ) -> None:
        [container] = spec["containers"]
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
        settings = load({}, {k: v for k, v in environment(spec).items() if not k.endswith("_FILE")})
        taken = {"api": ("http", "PORT"), "hl7": ("mllp", "HL7_PORT"), "video": ("http", "VIDEO_PORT")}
        if name in taken:
            port, setting = taken[name]
            assert ports[port] == settings.values[setting]
        for probe in (container[kind] for kind in ("readinessProbe", "livenessProbe") if kind in container):
            if "httpGet" in probe:
                assert probe["httpGet"]["port"] in ports
                assert probe["httpGet"]["path"] in {"api": ("/health/live", "/health/ready")}.get(
                    name, ("/visit/health",)
                )
            else:
                assert f":{ports['mllp']:04X} " in probe["exec"]["command"][2]


def environment(spec: dict[str, Any]) -> dict[str, str]:
    """The variables of a pod's container, the image's HOST among them."""
    [container] = spec["containers"]
    found = {"HEARTH_HOST": "0.0.0.0"}
    for source in container["envFrom"]:
        found |= of("ConfigMap")[source["configMapRef"]["name"]]["data"]
    return found | {each["name"]: each["value"] for each in container.get("env", ())}


def test_what_selects_pods_selects_some_and_names_their_ports() -> None:
    running = {name: (spec, labels) for name, spec, labels in pods()}
    services = of("Service")
    for selecting, ports in selections():
        found = [spec for spec, labels in running.values() if selecting.items() <= labels.items()]
        assert found, selecting
        named = {port["name"] for spec in found for port in spec["containers"][0].get("ports", ())}
        assert set(ports) <= named
    assert {each["spec"]["serviceName"] for each in of("StatefulSet").values()} <= services.keys()
    for rule in of("Ingress")["hearth"]["spec"]["rules"]:
        backend = rule["http"]["paths"][0]["backend"]["service"]
        offered = {port["name"] for port in services[backend["name"]]["spec"]["ports"]}
        assert backend["port"]["name"] in offered


def selections() -> Iterator[tuple[dict[str, str], list[str]]]:
    """(labels asked for, port names used) of services, budgets, policies and sets."""
    for each in of("Service").values():
        yield each["spec"]["selector"], [port["targetPort"] for port in each["spec"].get("ports", ())]
    for each in (of("PodDisruptionBudget") | of("StatefulSet")).values():
        yield each["spec"]["selector"]["matchLabels"], []
    for each in of("NetworkPolicy").values():
        used = [port["port"] for rule in each["spec"].get("ingress", ()) for port in rule.get("ports", ())]
        yield each["spec"]["podSelector"].get("matchLabels", {}), used


def test_nothing_is_allowed_that_no_policy_says() -> None:
    deny = of("NetworkPolicy")["default-deny"]["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_public_hosts_are_those_of_the_ingress() -> None:
    settings = of("ConfigMap")["hearth"]["data"]
    hosts = {rule["host"] for rule in of("Ingress")["hearth"]["spec"]["rules"]}
    assert hosts == {settings[name].split("/")[2] for name in ("HEARTH_PUBLIC_URL", "HEARTH_VIDEO_PUBLIC_URL")}
