"""Any printable character may be in a password, on its way from an inventory to every reader."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import runpy
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

from flink_job.endpoints import read_endpoints

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PASSWORD = " p#w;d\"'$1%&<>\\`:é€{{ x }}{% y "  # noqa: S105 - as nasty as one may be, and nobody's


def run(folder: Path, playbook: Path, **variables: object) -> None:
    """Run a playbook on this machine, in whose inventory each user of ClickHouse has PASSWORD."""
    inventory = folder / "hosts.yml"
    # JSON is YAML but for the tag, which keeps Ansible from reading an expression.
    passwords = dict.fromkeys(("admin", "loader", "reader"), "{{ vault_password }}")
    settings = variables | {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "endpoints_clickhouse_passwords": passwords,
        "endpoints_secrets": str(folder / ".secrets"),
    }
    inventory.write_text(
        f"all:\n  hosts: {{one: {{}}}}\n  children: {{clickhouse: {{hosts: {{one: {{}}}}}}}}\n"
        f"  vars:\n    vault_password: !unsafe {json.dumps(PASSWORD)}\n"
        + "".join(f"    {name}: {json.dumps(value)}\n" for name, value in settings.items())
    )
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", inventory, playbook],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_password_reaches_clickhouse_and_the_programs_as_it_is(tmp_path: Path) -> None:
    play = {
        "hosts": "one",
        "gather_facts": False,
        "roles": ["endpoints"],
        "vars": {"users": str(ROOT / "roles/clickhouse/templates/users.xml.j2")},
        "vars_files": [str(ROOT / "roles/clickhouse/defaults/main.yml")],
        "tasks": [
            {"copy": {"content": f"{{{{ {content} }}}}", "dest": str(tmp_path / name)}}
            for name, content in (
                ("users.xml", "lookup('template', users)"),
                ("endpoints.json", "endpoints_content | to_nice_json"),
            )
        ],
    }
    playbook = tmp_path / "render.yml"
    playbook.write_text(json.dumps([play]))
    run(tmp_path, playbook)
    users = ET.fromstring((tmp_path / "users.xml").read_text()).find("users")  # noqa: S314 - ours
    assert users is not None
    digests = {user.tag: user.findtext("password_sha256_hex") for user in users}
    assert set(digests) == {"default", "admin", "loader", "reader"}
    assert set(digests.values()) == {hashlib.sha256(PASSWORD.encode()).hexdigest()}
    endpoints = read_endpoints(tmp_path / "endpoints.json")
    assert endpoints.clickhouse.client_arguments()["password"] == PASSWORD


def test_a_secret_key_reaches_the_store_and_its_probe_as_it_is(tmp_path: Path) -> None:
    template = ROOT / "roles/object_store/templates/s3proxy.properties.j2"
    play = {
        "hosts": "one",
        "gather_facts": False,
        "roles": ["endpoints"],
        "vars_files": [str(ROOT / "roles/object_store/defaults/main.yml")],
        "tasks": [
            {"template": {"src": str(template), "dest": str(tmp_path / "properties")}},
            {
                "template": {"src": str(template), "dest": str(tmp_path / "former")},
                "vars": {"object_store_key": ["former", "{{ vault_password }}"]},
            },
        ],
    }
    playbook = tmp_path / "render.yml"
    playbook.write_text(json.dumps([play]))
    run(tmp_path, playbook, endpoints_store_secret_key="{{ vault_password }}")  # noqa: S106
    probe = runpy.run_path(str(ROOT / "roles/object_store/files/s3_probe.py"))
    settings = probe["properties"](str(tmp_path / "properties"))
    assert settings["s3proxy.credential"] == PASSWORD
    former = probe["properties"](str(tmp_path / "former"))
    assert (former["s3proxy.identity"], former["s3proxy.credential"]) == ("former", PASSWORD)
    # Java begins a value at its first character that is no space.
    assert "s3proxy.credential=\\u0020" in (tmp_path / "properties").read_text()


def test_a_password_reaches_clickhouse_from_a_playbook_as_it_is(tmp_path: Path) -> None:
    seen = []

    class ClickHouse(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
            answer = json.dumps({"data": [{"product_id": "p"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = http.server.HTTPServer(("127.0.0.1", 0), ClickHouse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run(
        tmp_path,
        ROOT / "ansible" / "rows.yml",
        endpoints_clickhouse_host="127.0.0.1",
        endpoints_clickhouse_http_port=server.server_port,
        rows_file=str(tmp_path / "rows.json"),
    )
    server.shutdown()
    assert seen == [f"reader:{PASSWORD}"]
    assert json.loads((tmp_path / "rows.json").read_text()) == [{"product_id": "p"}]
