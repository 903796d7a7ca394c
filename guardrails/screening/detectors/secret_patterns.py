"""The forms of secrets that have one: known prefixes, key blocks, connection strings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """One form. `hints`: a text without any of them cannot match, so the expression is not even run.

    The secret is group 1 of `expression` (RE2 syntax): what a hit covers. `body` is the group that context and
    `entropy` (the least bits a character of one not made up by hand) are judged by: the part after the prefix.
    `score` is what a match earns before its context is looked at.
    """

    entity: str
    hints: tuple[str, ...]
    expression: str
    score: float = 0.95
    entropy: float = 3.0
    body: int = 1


def _token(entity: str, hints: str, prefix: str, body: str, score: float = 0.95, entropy: float = 3.0) -> SecretPattern:
    """Return the form of a token that is `prefix` and then `body`, apart from other words; `hints` by blanks."""
    return SecretPattern(entity, tuple(hints.split()), rf"\b({prefix}({body}))\b", score, entropy, body=2)


_PEM = "(?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
_BREAK = r"(?:\s|\\n|\\r)*"

PATTERNS: tuple[SecretPattern, ...] = (
    _token("AWS_ACCESS_KEY", "AKIA ASIA ABIA ACCA", "(?:AKIA|ASIA|ABIA|ACCA)", "[A-Z2-7]{16}", entropy=2.5),
    SecretPattern(
        "AWS_SECRET_KEY",
        ("aws", "AWS", "Aws", "secret", "SECRET", "Secret"),
        r"(?i)(?:aws|secret)[a-z_.\- ]{0,24}key(?:_?id)?['\"]?\s{0,4}(?:=>|[:=])\s{0,4}['\"]?([A-Za-z0-9/+]{40})"
        r"(?:$|[^A-Za-z0-9/+=])",
        0.9,
        4.0,
    ),
    _token("GITHUB_TOKEN", "ghp_ gho_ ghu_ ghs_ ghr_", "gh[pousr]_", "[A-Za-z0-9]{36,}"),
    _token("GITHUB_TOKEN", "github_pat_", "github_pat_", "[A-Za-z0-9_]{60,}"),
    _token("GITLAB_TOKEN", "gl", "gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-", r"[A-Za-z0-9_\-.]{20,}"),
    _token("SLACK_TOKEN", "xox xapp-", "(?:xox[abeoprs]|xapp)-", r"(?:[0-9A-Za-z]{1,40}-){1,5}[0-9A-Za-z]{6,}"),
    SecretPattern(
        "SLACK_WEBHOOK",
        ("hooks.slack.com",),
        r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_\-]{30,}))",
        body=2,
    ),
    _token("STRIPE_KEY", "sk_ rk_ whsec_", "(?:[sr]k_(?:live|prod)_|whsec_)", "[A-Za-z0-9]{16,}"),
    _token("STRIPE_KEY", "_test_", "[sr]k_test_", "[A-Za-z0-9]{16,}", 0.6),
    _token("ANTHROPIC_KEY", "sk-ant-", "sk-ant-(?:[a-z]+[0-9]+-)?", r"[A-Za-z0-9_\-]{32,}"),
    _token("OPENAI_KEY", "T3BlbkFJ", "sk-", r"[A-Za-z0-9_\-]{16,}T3BlbkFJ[A-Za-z0-9_\-]{16,}"),
    _token("OPENAI_KEY", "sk-", "sk-(?:proj|svcacct|admin|None)-", r"[A-Za-z0-9_\-]{32,}"),
    _token("OPENAI_KEY", "sk-", "sk-", "[A-Za-z0-9]{32,64}", 0.85, 3.5),
    _token("GOOGLE_API_KEY", "AIza", "AIza", r"[A-Za-z0-9_\-]{35}"),
    _token("GOOGLE_OAUTH_SECRET", "GOCSPX-", "GOCSPX-", r"[A-Za-z0-9_\-]{28}"),
    _token("GOOGLE_OAUTH_TOKEN", "ya29.", r"ya29\.", r"[A-Za-z0-9_\-]{30,}"),
    _token("TWILIO_KEY", "SK", "SK", "[0-9a-f]{32}", 0.8),
    _token("SENDGRID_KEY", "SG.", r"SG\.", r"[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}"),
    _token("MAILGUN_KEY", "key-", "key-", "[0-9a-f]{32}", 0.8),
    _token("MAILCHIMP_KEY", "-us", "", "[0-9a-f]{32}-us[0-9]{1,2}", 0.9),
    _token("NPM_TOKEN", "npm_", "npm_", "[A-Za-z0-9]{36}"),
    _token("PYPI_TOKEN", "pypi-", "pypi-AgE", r"[A-Za-z0-9_\-]{50,}"),
    _token("RUBYGEMS_KEY", "rubygems_", "rubygems_", "[0-9a-f]{48}"),
    _token("HUGGINGFACE_TOKEN", "hf_ api_org_", "(?:hf_|api_org_)", "[A-Za-z]{34}"),
    _token("JWT", "eyJ", "", r"eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{10,}", 0.9),
    SecretPattern("AZURE_STORAGE_KEY", ("AccountKey",), r"AccountKey\s{0,3}=\s{0,3}([A-Za-z0-9+/]{86}==)", 0.95, 4.0),
    SecretPattern(
        "AZURE_SAS_TOKEN",
        ("sig=",),
        r"[?&](?:sv|se|sp|st|sr|spr|ss|srt)=[^\s\"']*?&sig=([A-Za-z0-9%+/]{40,}=?)",
        0.9,
        3.5,
    ),
    _token("AZURE_CLIENT_SECRET", "Q~", "", r"[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}", 0.9, 3.5),
    _token("TELEGRAM_TOKEN", ":AA", "[0-9]{8,10}:", r"AA[A-Za-z0-9_\-]{33}"),
    _token(
        "DISCORD_TOKEN", ".", "", r"[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,38}", 0.85, 4.0
    ),
    SecretPattern(
        "DISCORD_WEBHOOK",
        ("/api/webhooks/",),
        r"(https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/([A-Za-z0-9_\-]{60,80}))",
        body=2,
    ),
    _token("DIGITALOCEAN_TOKEN", "_v1_", "do[opr]_v1_", "[0-9a-f]{64}"),
    _token("SHOPIFY_TOKEN", "shp", "shp(?:at|ca|pa|ss)_", "[0-9a-fA-F]{32}"),
    _token("SQUARE_TOKEN", "sq0 EAAA", "(?:sq0(?:atp|csp|idp)-|EAAA)", r"[A-Za-z0-9_\-]{22,60}", 0.85, 3.5),
    _token("DATABRICKS_TOKEN", "dapi", "dapi", "[0-9a-f]{32}(?:-[0-9])?", 0.9),
    _token("DOCKER_TOKEN", "dckr_", "dckr_(?:pat|oat)_", r"[A-Za-z0-9_\-]{27,40}"),
    _token("GRAFANA_TOKEN", "glsa_ glc_", "(?:glsa_|glc_)", r"[A-Za-z0-9_+/=]{32,}"),
    _token(
        "HASHICORP_TOKEN", "hvs. hvb. atlasv1.", r"(?:hv[sb]\.|[A-Za-z0-9]{14}\.atlasv1\.)", r"[A-Za-z0-9_\-=]{60,}"
    ),
    _token("LINEAR_KEY", "lin_api_", "lin_api_", "[A-Za-z0-9]{40}"),
    _token("NEW_RELIC_KEY", "NRAK-", "NRAK-", "[A-Z0-9]{27}"),
    _token("NOTION_TOKEN", "ntn_ secret_", "(?:ntn_|secret_)", "[A-Za-z0-9]{43,50}", 0.9, 3.5),
    _token("POSTMAN_KEY", "PMAK-", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    _token("SENTRY_TOKEN", "sntrys_ sntryu_", "(?:sntrys_|sntryu_)", "[A-Za-z0-9_=+/]{40,}"),
    _token("GROQ_KEY", "gsk_", "gsk_", "[A-Za-z0-9]{48,60}"),
    _token("REPLICATE_TOKEN", "r8_", "r8_", "[A-Za-z0-9]{37}"),
    _token("AGE_SECRET_KEY", "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1", "[0-9A-Z]{58}"),
    SecretPattern(
        "PRIVATE_KEY",
        ("PRIVATE KEY",),
        # Up to its END line; or, of a key that was cut off, every line that is long enough to be part of one.
        rf"(-----BEGIN {_PEM}(?:[A-Za-z0-9+/=\s\\:,.\-]*?-----END {_PEM}|{_BREAK}(?:[A-Za-z0-9+/=]{{16,}}{_BREAK})+))",
        0.98,
        4.0,
    ),
    SecretPattern(
        "CONNECTION_STRING",
        ("://",),
        r"(?i)\b([a-z][a-z0-9+.\-]{1,30}://[^\s:/@\"'<>`]{0,100}:[^\s/@\"'<>`]{3,200}@[^\s\"'<>`]{1,300}[^\s\"'<>`.,;:!?)\]}])",
        0.9,
        0.0,
    ),
    SecretPattern(
        "CONNECTION_STRING",
        ("=",),
        r"(?i)\b(?:server|data source|host|endpoint)\s?=[^\n\"']{1,300}?;\s?(?:pwd|password)\s?=\s?([^;\s\"']{4,200})",
        0.9,
        0.0,
    ),
)

#: `password = "..."`, `api_key: ...`, `Authorization: Bearer ...`: a name that promises a secret, and a value.
GENERIC = SecretPattern(
    "GENERIC_SECRET",
    ("pass", "pwd", "secret", "token", "key", "auth", "credential", "bearer"),
    r"(?i)(?:^|[^a-z0-9])"
    r"(?:[a-z0-9_.\-]{0,40}?(?:password|passwd|passphrase|pwd|secret|token|api[_\-]?key|apikey|access[_\-]?key|auth[_\-]?key"
    r"|encryption[_\-]?key|signing[_\-]?key|private[_\-]?key|client[_\-]?secret|credentials?)(?:[_\-][a-z0-9]{1,12})?"
    r"['\"\]]{0,2}\s{0,4}(?::=|=>|=|:)\s{0,4}|bearer\s{1,2})"
    r"(?:\"([^\"\s]{8,200})\"|'([^'\s]{8,200})'|`([^`\s]{8,200})`|([A-Za-z0-9_\-./+=!@#%^&*~]{8,200}))",
    0.8,
    3.0,
)

ENTITIES: tuple[str, ...] = tuple(sorted({pattern.entity for pattern in (*PATTERNS, GENERIC)}))
