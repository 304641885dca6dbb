"""Inventories of the service: kept with their mistakes, without secrets, without programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_parts import actor, api, put_run, run_info, served_store

from volact.client.wire import RunSpec
from volact.errors import InputError
from volact.service.inventories import read_text, read_whole, stored_text
from volact.store.store import Store

V1 = "/api/v1/inventories"
GOOD = """\
[[server]]
name = "web-01"
address = "ssh://Administrator@10.0.0.5"
tags = ["web"]
password-env = "WEB_PASSWORD"

[[server]]
name = "db-01"
address = "winrms://10.0.0.6"
tags = ["db"]
keyring = "volact"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        yield opened


def put(http: Any, text: str, file: str = "fleet.toml", name: str = "main") -> Any:
    return http.put(f"{V1}/{name}", json={"file": file, "text": text})


def test_an_upload_is_kept_read_and_deleted(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        made = put(http, GOOD).json()
        assert (made["servers"], made["mistakes"], made["updated_by"]) == (2, [], "ada")
        assert http.get(f"{V1}/main/text").json() == {"file": "fleet.toml", "text": GOOD}
        first = http.get(f"{V1}/main/servers?limit=1").json()
        assert first["items"][0]["name"] == "db-01"
        rest = http.get(f"{V1}/main/servers", params={"cursor": first["next"]}).json()
        assert [(one["name"], one["address"]) for one in rest["items"]] == [
            ("web-01", "ssh://10.0.0.5")
        ]
        assert [one["name"] for one in http.get(V1).json()["items"]] == ["main"]
        assert read_whole(*store.ask(lambda c: stored_text(c, "main"))).servers[0].name == "web-01"
        assert http.delete(f"{V1}/main").status_code == 204
        assert http.delete(f"{V1}/main").status_code == 404
        with pytest.raises(InputError, match="there is no inventory main"):
            read_whole(*store.ask(lambda c: stored_text(c, "main")))


def test_an_upload_with_mistakes_is_kept_and_runs_refuse_it(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        made = put(http, GOOD + '\n[[server]]\nname = "x"\nadress = "ssh://x"\n').json()
        assert made["servers"] == 2
        assert "adress" in made["mistakes"][0]["message"]
        assert made["mistakes"][0]["where"].startswith("fleet.toml line ")
        with pytest.raises(InputError, match="adress"):
            read_whole(*store.ask(lambda c: stored_text(c, "main")))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("fleet.toml", GOOD + '\n[[server]]\nname = "x"\naddress = "ssh://x"\npassword = "pw"\n'),
        ("fleet.csv", "name,address,password\nweb-01,10.0.0.5,hunter2\n"),
        ("fleet.csv", "name;address;Password\nweb-01;10.0.0.5;\n"),
        ("hosts", "[web]\nweb-01 ansible_host=10.0.0.5 ansible_password=hunter2\n"),
        ("hosts.yml", "all:\n  hosts:\n    web-01:\n      ansible_become_pass: hunter2\n"),
        ("hosts.json", '{"all": {"hosts": {"web-01": {"ansible_password": "hunter2"}}}}'),
        ("fleet.toml", GOOD + "# -----BEGIN OPENSSH PRIVATE KEY-----\n"),
        (
            "hosts",
            "[web]\nweb-01 ansible_become_pass=$hunter2\n",
        ),
        (
            "hosts",
            "[web]\nweb-01 ansible_become_pass=${PW}hunter2\n",
        ),
        ("hosts.yml", "all:\n  hosts:\n    a:\n      ansible_become_pass: \"{{ 'hunter2' }}\"\n"),
        (
            "hosts.yml",
            "all:\n  hosts:\n    a:\n      become_pass: '{{ x | default(\"hunter2\") }}'\n",
        ),
        ("hosts.yml", "all:\n  hosts:\n    a:\n      become_pass: '{{ x or [\"hunter2\"][0] }}'\n"),
        ("hosts.yml", "all:\n  hosts:\n    a:\n      become_pass: '{{ x }}hunter2'\n"),
        ("fleet.toml", '[[server]]\nname = "a"\naddress = "ssh://adm:hunter2@10.0.0.1"\n'),
        ("fleet.toml", '[[server]]\nname = "a"\naddress = "ssh://adm:/h@hunter2@10.0.0.1"\n'),
        ("fleet.toml", '[[server]]\nname = "a"\naddress = "ssh://adm:22,hunter2@10.0.0.1"\n'),
        ("fleet.toml", '[[server]]\nname = "a"\naddress = "ssh://adm:h hunter2@10.0.0.1"\n'),
        ("fleet.toml", '[[server]\nname = "a"\naddress = "ssh://adm:hunter2@[2001:db8::1]:22"\n'),
        ("fleet.toml", '[[server]]\nname = "a"\naddress = "ssh://a"\njump = "adm:hunter2@b"\n'),
        ("fleet.toml", '[defaults]\njump = "adm:hunter2@b"\n' + GOOD),
        ("fleet.csv", 'name,address\nweb-01,"ssh://adm:hunter2@10.0.0.1"\n'),
        ("fleet.csv", "name,address\nweb-01,adm:hunter2@10.0.0.1\n"),
        ("hosts.txt", "ssh://adm:hunter2@10.0.0.1\n"),
        ("hosts.yml", "all:\n  hosts:\n    a:\n      ansible_winrm_proxy: http://u:hunter2@p\n"),
        ("hosts.yml", "h:\n  hosts:\n    a:\n      my_pass: \"{{ ('hunter2') }}\"\n"),
        ("hosts.yml", "h:\n  hosts:\n    a:\n      my_pass: '{{ a }}hunter2'\n"),
        ("hosts.yml", "h:\n  hosts:\n    a:\n      my_pass: \"{{ a | default('hunter2') }}\"\n"),
        (
            "hosts.yml",
            "h:\n  hosts:\n    a:\n      my_pass: \"{{ lookup('x', 'P', default='hunter2') }}\"\n",
        ),
    ],
)
def test_a_secret_in_clear_is_not_stored(store: Store, file: str, text: str) -> None:
    with api(store, actor("administrator")) as http:
        answer = put(http, text, file)
        assert answer.status_code == 422
        assert "secret in clear" in answer.json()["detail"]
        assert "hunter2" not in answer.text
        assert http.get(V1).json()["items"] == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "# the password is in the keyring\n" + GOOD,
        '[defaults]\npassword-file = "/run/secrets/password"\nkey-passphrase-env = "P"\n' + GOOD,
    ],
)
def test_references_are_no_secrets(store: Store, text: str) -> None:
    with api(store, actor("administrator")) as http:
        assert put(http, text).status_code == 200


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("fleet.csv", "name,address,user\nweb-01,ssh://10.0.0.5:22,adm@corp.local\n"),
        ("fleet.csv", "name;address;user\nweb-01;ssh://[2001:db8::1]:22;adm@corp.local\n"),
        ("fleet.csv", "name,address,user\nweb-01,ssh://[2001:db8::1],adm@corp.local\n"),
        ("hosts.json", '{"h":{"hosts":{"a":{"p":"http://p:3128","ansible_user":"adm@corp"}}}}'),
        ("fleet.toml", "# https://wiki:8443/@fleet, questions to it@corp.local\n" + GOOD),
        ("hosts", "[web]\na ansible_become_pass={{ vault_password }} ansible_user=adm\n"),
        ("hosts", "[web]\na ansible_become_pass=$SUDO_PASS ansible_user=adm\n"),
        ("hosts", '[web]\na ansible_become_pass="${ENV:SUDO}" ansible_user=adm\n'),
        ("hosts.yml", "h:\n  hosts:\n    a:\n      my_pass: \"{{ lookup('env', 'PW') }}\"\n"),
        ("hosts.yml", 'h:\n  hosts:\n    a:\n      my_pass: \'{{ hostvars["b"]["pw"] }}\'\n'),
        ("hosts.yml", "h:\n  hosts:\n    a:\n      my_pass: '{{ pw | default(\"\") }}'\n"),
        (
            "hosts.yml",
            "h:\n  hosts:\n    a:\n      my_pass: !vault |\n        $ANSIBLE_VAULT;1.1\n",
        ),
        ("hosts.yml", 'h:\n  hosts:\n    a:\n      proxy: "http://u:${PW}@p"\n'),
        ("hosts.yml", 'h:\n  hosts:\n    a:\n      proxy: "http://{{u}}:{{pw}}@p"\n'),
        (
            "hosts.yml",
            "h:\n  hosts:\n    a:\n      my_pass: \"{{ lookup('hv', 'path=kv:pw') }}\"\n",
        ),
        ("fleet.csv", "name|address|user\nweb-01|ssh://10.0.0.5:22|adm@corp.local\n"),
        ("hosts.yml", 'h:\n  hosts:\n    a:\n      proxy: "http://p:${PORT}/@x"\n'),
        *(
            ("hosts.yml", f'h:\n  hosts:\n    a:\n      my_pass: "{{{{ {inner} }}}}"\n')
            for inner in (
                "(vault_pw)",
                "vault_a }}{{ vault_b",
                "(lookup('amazon.aws.secretsmanager_secret', 'win') | from_json).password",
                "lookup('env', 'PW_' ~ (inventory_hostname | upper))",
                "lookup('env', 'PW_' ~ inventory_hostname.replace('-', '_'))",
                "lookup('env', 'PW', default=undef())",
                "found | json_query('password')",
                "vault_pw | mandatory('it is not set')",
                "a if env == 'prod' else b",
            )
        ),
    ],
)
def test_a_port_or_a_reference_is_no_secret(store: Store, file: str, text: str) -> None:
    with api(store, actor("administrator")) as http:
        answer = put(http, text, file)
        assert (answer.status_code, answer.json().get("detail")) == (200, None)


@pytest.mark.parametrize(
    "line", ['password-command = ["pass", "web"]', 'ssh-config = "/etc/ssh/ssh_config"']
)
def test_programs_are_a_mistake(line: str) -> None:
    text = f'[[server]]\nname = "a"\naddress = "ssh://a"\n{line}\n'
    (problem,) = read_text("fleet.toml", text).problems
    assert "names a program" in problem.message


def test_a_relative_file_is_a_mistake() -> None:
    text = '[[server]]\nname = "a"\naddress = "ssh://a"\nkey-file = "keys/id"\n'
    (problem,) = read_text("fleet.toml", text).problems
    assert problem.line().startswith("fleet.toml line 1: keys/id is relative")


def test_a_scope_narrows_an_inventory(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        put(http, GOOD)
    with api(store, actor("viewer", "tag:web")) as http:
        assert http.get(f"{V1}/main").json()["servers"] == 1
        shown = http.get(f"{V1}/main/servers").json()["items"]
        assert [one["name"] for one in shown] == ["web-01"]
        assert http.get(f"{V1}/main/text").status_code == 403


def test_what_a_run_uses_is_not_deleted(store: Store) -> None:
    with api(store, actor("administrator")) as http:
        put(http, GOOD)
        spec = RunSpec(verb="check", inventory="main")
        put_run(store.engine, run_info("aa", state="running", spec=spec))
        assert http.delete(f"{V1}/main").status_code == 409
        put_run(store.engine, run_info("aa", state="done", spec=spec))
        assert http.delete(f"{V1}/main").status_code == 204


@pytest.mark.parametrize("name", ["..", "a b", "-a", "a" * 101, "%00", "a%2Fb"])
def test_a_name_is_plain(store: Store, name: str) -> None:
    with api(store, actor("administrator")) as http:
        assert put(http, GOOD, name=name).status_code in (400, 404, 405)


@pytest.mark.parametrize(
    ("source", "told"),
    [("nowhere:x", "cannot list"), ("tencent:", "names no"), ("tencent", "names no")],
)
def test_a_cloud_that_cannot_be_listed(store: Store, source: str, told: str) -> None:
    with api(store, actor("administrator")) as http:
        answer = http.put(f"{V1}/main/source", json={"source": source})
        assert (answer.status_code, told in answer.json()["detail"]) == (422, True)
        put(http, GOOD)
        assert http.post(f"{V1}/main/refresh").status_code == 422
