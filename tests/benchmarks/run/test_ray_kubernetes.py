"""docs/examples/ray-kubernetes.yaml and its Dockerfile, without Kubernetes or Docker.

The manifest is validated by Kubernetes's own schemas, and the commands of its pods run
as processes of this machine.
"""

import ast
import contextlib
import json
import os
import pathlib
import platform
import re
import secrets
import shutil
import socket
import subprocess
import sys

import pytest

yaml = pytest.importorskip("yaml")

ROOT = pathlib.Path(__file__).resolve().parents[3]
MANIFEST = ROOT / "docs" / "examples" / "ray-kubernetes.yaml"
DOCKERFILE = MANIFEST.with_suffix(".Dockerfile")


@pytest.fixture(scope="module")
def objects():
    """The objects of the manifest by kind and name."""
    found = list(yaml.safe_load_all(MANIFEST.read_text()))
    objects = {(each["kind"], each["metadata"]["name"]): each for each in found}
    assert len(objects) == len(found)
    return objects


@pytest.fixture(scope="module")
def pods(objects):
    """The pods of head, workers and driver, by role."""
    templates = [
        each["spec"]["template"]
        for (kind, _), each in objects.items()
        if kind in ("Deployment", "Job")
    ]
    return {each["metadata"]["labels"]["role"]: each for each in templates}


def container(pod):
    (container,) = pod["spec"]["containers"]
    return container


def flag(pod, name):
    (value,) = [
        argument.partition("=")[2]
        for argument in container(pod)["args"]
        if argument.startswith(f"--{name}=")
    ]
    return value


def test_the_manifest_is_valid(objects):
    validator = pytest.importorskip("kubernetes_validate")
    for each in objects.values():
        validator.validate(each, validator.latest_version(), strict=True)


def test_every_pod_has_the_image_and_the_environment(objects, pods):
    assert set(pods) == {"head", "worker", "driver"}
    assert objects["ConfigMap", "keras-asymbp"]["data"]["RAY_AUTH_MODE"] == "token"
    (image,) = {container(pod)["image"] for pod in pods.values()}
    assert f"-t {image} ." in DOCKERFILE.read_text()
    for pod in pods.values():
        config, secret = container(pod)["envFrom"]
        assert ("ConfigMap", config["configMapRef"]["name"]) in objects
        # The command in the first lines of the file creates the secret.
        command = f"create secret generic {secret['secretRef']['name']} "
        assert command in MANIFEST.read_text()
        for volume in pod["spec"]["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in objects
        names = {volume["name"] for volume in pod["spec"]["volumes"]}
        assert {mount["name"] for mount in container(pod)["volumeMounts"]} == names


def test_selectors_find_the_pods(objects, pods):
    labels = {role: pod["metadata"]["labels"] for role, pod in pods.items()}

    def found(selector):
        return {r for r, has in labels.items() if selector.items() <= has.items()}

    service = objects["Service", "keras-asymbp-head"]["spec"]
    assert found(service["selector"]) == {"head"}
    policy = objects["NetworkPolicy", "keras-asymbp"]["spec"]
    (allowed,) = policy["ingress"][0]["from"]
    for selector in (policy["podSelector"], allowed["podSelector"]):
        assert found(selector["matchLabels"]) == set(labels)
    for (kind, _), each in objects.items():
        if kind == "Deployment":
            (role,) = found(each["spec"]["selector"]["matchLabels"])
            assert role == each["spec"]["template"]["metadata"]["labels"]["role"]


def test_ports_and_addresses_agree(objects, pods):
    service = objects["Service", "keras-asymbp-head"]
    ports = {port["name"]: port["port"] for port in service["spec"]["ports"]}
    head = container(pods["head"])
    assert ports == {port["name"]: port["containerPort"] for port in head["ports"]}
    assert ports == {
        "gcs": int(flag(pods["head"], "port")),
        "client": int(flag(pods["head"], "ray-client-server-port")),
    }
    assert head["readinessProbe"]["tcpSocket"]["port"] in ports
    host = service["metadata"]["name"]
    assert flag(pods["worker"], "address") == f"{host}:{ports['gcs']}"
    assert flag(pods["driver"], "address") == f"ray://{host}:{ports['client']}"


def test_a_cell_fits_a_worker_and_results_are_kept(pods):
    limits = container(pods["worker"])["resources"]["limits"]
    cpus = int(flag(pods["worker"], "num-cpus"))
    assert cpus == int(limits["cpu"])
    assert 1 <= int(flag(pods["driver"], "num_cpus")) <= cpus
    (mount,) = container(pods["driver"])["volumeMounts"]
    assert flag(pods["driver"], "results_dir") == mount["mountPath"]


def test_the_driver_has_our_flags(pods, benchmarks):
    driver = container(pods["driver"])
    assert driver["command"] == ["python", "-m", "keras_asymbp.benchmarks"]
    done = benchmarks(*driver["args"], "--list")
    assert done.returncode == 0, done.stderr


def test_the_image_can_be_installed(tmp_path):
    text = DOCKERFILE.read_text()
    setup = (ROOT / "setup.py").read_text()
    (version,) = re.findall(r"^FROM python:(\d+\.\d+)-slim$", text, re.MULTILINE)
    (minimum,) = re.findall(r'python_requires=">=(\d+\.\d+)"', setup)
    numbers = [tuple(map(int, number.split("."))) for number in (version, minimum)]
    assert numbers[0] >= numbers[1]
    assert platform.python_version().startswith(
        f"{version}."
    )  # the version of these tests
    (extras,) = re.findall(r'"/src\[(.+?)\]"', text)
    (known,) = [
        {key.value for key in keyword.value.keys}
        for call in ast.walk(ast.parse(setup))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "extras_require"
    ]
    assert set(extras.split(",")) <= known
    assert "ray" in extras.split(",")
    for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE):
        *sources, target = line.split()
        folder = tmp_path / target.removeprefix("/src/")
        for source in sources:
            path = ROOT / source
            if path.is_dir():
                shutil.copytree(path, folder)
            else:
                shutil.copy(path, folder)
    done = subprocess.run(
        [sys.executable, "setup.py", "--name"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["keras-asymbp"]


@pytest.mark.slow
def test_the_pods_commands_do_the_work(
    objects, pods, stand_in, notes, wait_for, tmp_path, monkeypatch
):
    """Head, worker and driver run as in the manifest, with local addresses and ports.

    Training is a stand-in.
    """
    pytest.importorskip("ray")
    here = {"keras-asymbp-head": "127.0.0.1"}
    here |= {flag(pods["head"], "port"): free_port()}
    here |= {flag(pods["head"], "ray-client-server-port"): free_port()}
    settings = {"notes": str(tmp_path / "notes"), "faults": [], "seconds": 0.1}
    environment = {
        **objects["ConfigMap", "keras-asymbp"]["data"],
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "STAND_IN": json.dumps(settings),
        "PYTHONPATH": os.pathsep.join(
            [str(pathlib.Path(__file__).parents[1]), *sys.path]
        ),
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def arguments(role):
        return [replaced(argument, here) for argument in container(pods[role])["args"]]

    with contextlib.ExitStack() as stack:
        for role in ("head", "worker"):
            stack.enter_context(
                running(
                    [
                        *container(pods[role])["command"],
                        *arguments(role),
                        "--node-ip-address=127.0.0.1",
                    ],
                    tmp_path / f"{role}.log",
                    wait_for,
                )
            )
        flags = [a for a in arguments("driver") if not a.startswith("--results_dir")]
        small = ["--preset=smoke", "--models=SGD,RndF", "--seeds=0,1"]
        done = stand_in(*flags, *small, timeout=180)
        assert done.returncode == 0, done.stderr
        assert "8 trials run, 0 found stored" in done.stdout
        assert len({(n["model"], n["seed"], n["rate"]) for n in notes()}) == 8


@contextlib.contextmanager
def running(command, log, wait_for):
    """A Ray node within a context; `ray start --block` ends its processes."""
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_for(
            lambda: process.poll() or "Ray runtime started" in log.read_text(), 120
        )
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def replaced(text, names):
    for name, value in names.items():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", value, text)
    return text


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return str(server.getsockname()[1])
