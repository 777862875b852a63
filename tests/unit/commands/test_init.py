"""`portreeve init` writes a bundle that builds, and never over anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bundle.build import build
from service.cli import main
from service.model.finding import Mode

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
  - {name: prod-eu, cluster: {server: "https://a"}}
contexts:
  - {name: one, context: {cluster: prod-eu, user: me}}
  - {name: two, context: {cluster: dev, user: me}}
  - {name: three, context: {cluster: prod-eu, user: other}}
  - {name: broken}
users:
  - {name: me, user: {token: not-to-be-copied}}
"""


def test_a_bundle_is_begun_and_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "Acme AI"
    config = tmp_path / "config"
    config.write_text(KUBECONFIG)

    options = ["--organisation", 'Acme: "AI"', "--kubeconfig", str(config), "--cluster", "dev"]
    options += ["--account", "aws:123456789012", "--workspace", "vision-*"]

    code = main(["init", str(folder), *options])

    assert code == 0
    said = capsys.readouterr().out
    assert "bundle acme-ai builds" in said
    assert "posture warn and 4 places" in said
    bundle = build(folder)
    assert (bundle.ref.name, bundle.org.name, bundle.org.posture) == (
        "acme-ai",
        'Acme: "AI"',
        Mode.WARN,
    )
    matches = [scope.match.model_dump(exclude_none=True) for scope in bundle.org.scopes]
    assert matches == [
        {"cluster": "prod-eu"},
        {"cluster": "dev"},
        {"account": "aws:123456789012"},
        {"workspace": "vision-*"},
    ]
    assert bundle.org.scopes[2].vendor == "aws"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Acme AI", "config"]
    for file in folder.rglob("*.yaml"):
        assert "not-to-be-copied" not in file.read_text()


def test_what_init_wrote_can_be_added_to(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    assert main(["init", str(folder)]) == 0

    done = main(["bundle", "promote", "COV-001", "--to", "observe", "--bundle", str(folder)])

    assert done == 0
    assert [rule.code for rule in build(folder).org.modes] == ["COV-001"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--name", "Acme!"), "`Acme!` is no name for a bundle"),
        (("--account", "1234"), "the account is `1234`, and VENDOR:ID is expected"),
        (("--account", "acme:1"), "the catalog has no vendor `acme`"),
        (("--kubeconfig", "/dev/null"), "has no `contexts`, so it is no kubeconfig"),
        (("--kubeconfig", "nowhere"), "nowhere: it cannot be read: No such file"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "new"), *options]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("precious")

    for target in (tmp_path, tmp_path / "mine"):
        assert main(["init", str(target), "--name", "a"]) == 2
        assert "is not empty, and nothing in it is to be lost" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert main(["init", str(tmp_path / "file" / "new")]) == 2
    assert "cannot be written" in capsys.readouterr().err
