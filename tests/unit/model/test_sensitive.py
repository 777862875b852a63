import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model.sensitive import REDACTED, redact_image, redact_pairs, redact_text

CANARY = "cAnary7Zq9"
LONG = CANARY * 5
UPPER = "CANARY7ZQ9X42KLM"

# Assembled here so that no scanner takes this file for a leak.
SHAPES = {
    "AWS access key": f"AKIA{UPPER}",
    "temporary AWS access key": f"ASIA{UPPER}",
    "Google API key": f"AIza{LONG}",
    "Google access token": f"ya29.{LONG}",
    "Google client secret": f"GOCSPX-{LONG}",
    "JSON Web Token": f"eyJ{LONG}.{LONG}.{LONG}",
    "GitHub token": f"ghp_{LONG}",
    "fine-grained GitHub token": f"github_pat_{LONG}",
    "GitLab token": f"glpat-{LONG}",
    "Hugging Face token": f"hf_{LONG}",
    "key of a model service": f"sk-{LONG}",
    "Stripe key": f"sk_live_{LONG}",
    "NVIDIA key": f"nvapi-{LONG}",
    "Slack token": f"xoxb-{LONG}",
    "Slack webhook": f"https://hooks.slack.com/services/T0/{LONG}",
    "Vault token": f"hvs.{LONG}",
    "HCP Terraform token": f"abcdefgh123456.atlasv1.{LONG}",
    "npm token": f"npm_{LONG}",
    "PyPI token": f"pypi-{LONG}",
    "DigitalOcean token": f"dop_v1_{LONG}",
    "age key": f"AGE-SECRET-KEY-1{LONG}",
    "PEM block": f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n-----END RSA PRIVATE KEY-----",
    "PEM block that was cut off": f"-----BEGIN PRIVATE KEY-----\n{LONG}\n{LONG}",
    "shared access signature": f"https://store.example.com/weights?sv=2024&sig={LONG}",
    "address with credentials": f"postgresql://app:{CANARY}@db.example.com/runs",
    "password with an at sign": f"https://app:{CANARY}@{CANARY}@db.example.com/runs",
    "token in an address": f"git+https://{LONG}@git.example.com/vision/train.git",
    "image with credentials": f"robot:{CANARY}@images.example.com/vision/train:v1",
    "argument with equals": f"--hf-token={CANARY}",
    "argument with a blank": f"serve --api-key {CANARY} --max-model-len 4096",
    "environment variable": f"WANDB_API_KEY={CANARY}",
    "mixed case": f"clientSecret: {CANARY}",
    "JSON": f'{{"password": "two {CANARY}"}}',
    "JSON with an escaped quote": f'{{"password": "two\\" {CANARY}"}}',
    "JSON in a string": f'{{\\"secret\\": \\"two {CANARY}\\"}}',
    "header": f"Authorization: Bearer {CANARY}",
    "bearer token alone": f"curl -H bearer {CANARY}",
    "basic credentials": f"Basic {LONG}=",
    "connection string": f"DefaultEndpointsProtocol=https;AccountKey={CANARY};Endpoint=x",
}

CLEAN = [
    "",
    "prod-eu",
    "europe-west4-a",
    "asia-northeast1",
    "nvidia-h100-80gb",
    "ml.p5.48xlarge",
    "images.example.com/vision/train:v1.2.3",
    "meta-llama/Llama-3.3-70B-Instruct",
    "--max-num-batched-tokens=8192",
    "--tokenizer-mode=auto",
    "--max-model-len 4096 --tensor-parallel-size 8",
    "tokens_per_second: 1200",
    "secretName: llama-weights",
    "module.train.aws_instance.gpu[0]",
    "vision@example.com",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
]

clean_words = st.lists(st.sampled_from(CLEAN), max_size=3).map(" ".join)


@pytest.mark.parametrize("secret", SHAPES.values(), ids=list(SHAPES))
def test_a_secret_is_replaced_wherever_it_stands(secret: str) -> None:
    for text in (secret, f"{secret}\n", f"see {secret}", f'"{secret}"'):
        redacted = redact_text(text)

        assert "anary" not in redacted.lower(), redacted
        assert REDACTED in redacted


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_comes_back_as_the_same_object(text: str) -> None:
    assert text is redact_text(text) or "@" in text or "oken" in text or "cret" in text
    assert text == redact_text(text)


@pytest.mark.parametrize("text", [text for text in CLEAN if "@" not in text and "oken" not in text])
def test_labels_of_clean_text_come_back_as_they_are(text: str) -> None:
    pairs = {"app.kubernetes.io/name": text, "team": "vision"}

    assert pairs == redact_pairs(pairs)


@given(
    before=clean_words,
    secret=st.sampled_from(sorted(SHAPES.values())),
    after=clean_words,
)
def test_a_planted_secret_never_survives(before: str, secret: str, after: str) -> None:
    assert "anary" not in redact_text(f"{before} {secret} {after}").lower()


@given(
    name=st.sampled_from(
        ["password", "db_password", "HF_TOKEN", "api-key", "apiKey", "aws_secret_access_key"]
    ),
    secret=st.from_regex(r"[A-Za-z0-9!#$%^&*()_+.,;-]{4,40}", fullmatch=True),
    separator=st.sampled_from(["=", ": ", " = ", ":"]),
)
def test_whatever_is_given_to_a_name_of_a_secret_is_replaced(
    name: str, secret: str, separator: str
) -> None:
    assert f"{name}{separator}{REDACTED}" == redact_text(f"{name}{separator}{secret}")
    assert {name: REDACTED} == redact_pairs({name: secret})


@given(st.text(max_size=200))
def test_replacing_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)

    assert once == redact_text(once)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "x"),
        ("example.com/hf-token", "x"),
        ("DB_PASSWORD", "x"),
        ("apiKey", "x"),
        ("api_key", "x"),
        ("client-credential", "x"),
        ("ssh-private-key", "x"),
    ],
)
def test_a_label_named_after_a_secret_loses_its_value(key: str, value: str) -> None:
    assert {key: REDACTED, "team": "vision"} == redact_pairs({key: value, "team": "vision"})


def test_a_label_that_looks_like_a_secret_loses_it() -> None:
    assert redact_pairs({"note": CANARY * 4}) == {"note": REDACTED}
    assert {"note": f"see {REDACTED}"} == redact_pairs({"note": f"see AKIA{UPPER}"})


@pytest.mark.parametrize("text", [CANARY * 4, f"{CANARY * 4}\n", f"{CANARY * 4}=="])
def test_text_that_is_nothing_but_random_is_replaced(text: str) -> None:
    assert redact_text(text) == REDACTED


def test_a_secret_in_the_key_of_a_label_is_replaced() -> None:
    assert redact_pairs({f"AKIA{UPPER}": "1"}) == {REDACTED: "1"}


def test_labels_that_count_tokens_keep_their_values() -> None:
    pairs = {"portreeve.dev/context-tokens": "8192", "tokenizer": "llama", "secret-name": "weights"}

    assert pairs == redact_pairs(pairs)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("images.example.com/vision/token:v1", "images.example.com/vision/token:v1"),
        (f"a:{CANARY}@images.example.com/t:v1", f"{REDACTED}@images.example.com/t:v1"),
        (
            f"a:{CANARY}@images.example.com/t@sha256:{'ab' * 32}",
            f"{REDACTED}@images.example.com/t@sha256:{'ab' * 32}",
        ),
        (
            f"https://a:{CANARY}@images.example.com/t",
            f"https://{REDACTED}@images.example.com/t",
        ),
        (f"train:v1@sha256:{'ab' * 32}", f"train:v1@sha256:{'ab' * 32}"),
        ("secret-store/train:v1", "secret-store/train:v1"),
    ],
)
def test_an_image_keeps_its_name_and_loses_credentials(reference: str, expected: str) -> None:
    assert expected == redact_image(reference)


def test_text_too_long_to_search_is_replaced_whole() -> None:
    assert redact_text("a " * 20_000) == REDACTED


@pytest.mark.parametrize("unit", ["a:b,", "--", "token", "a@", "//", "eyJ", "-----BEGIN KEY "])
def test_hostile_repetition_is_searched_in_linear_time(unit: str) -> None:
    assert isinstance(redact_text((unit * 8_192)[:8_192]), str)
