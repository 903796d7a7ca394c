"""Settings, all from the environment; each variable is documented in docs/reference/settings.md.

`manage.py up` starts PostgreSQL and Redis and leaves their addresses in `$COUNTERSIGN_HOME/run/services.json`, so that
every other command on the machine finds them without a variable set. DATABASE_URL and REDIS_URL win over that file.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from webapp.files import new_file

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

HOME = Path(env.str("COUNTERSIGN_HOME", str(BASE_DIR / "var"))).resolve()
PORT = env.int("COUNTERSIGN_PORT", 8600)


def _services() -> dict[str, str]:
    try:
        facts: dict[str, str] = json.loads((HOME / "run" / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    return facts


def _secret_key() -> str:
    """Return the installation's secret, made once: sessions, CSRF tokens and hashes in redacted texts depend on it."""
    path = HOME / "keys" / "secret.key"
    try:
        return path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with new_file(path, replace=False) as fresh:  # whole or not at all: nobody ever reads half a key
            fresh.write_text(secrets.token_urlsafe(48))
    except FileExistsError:
        pass  # another process of this installation was first
    except OSError as error:
        raise ImproperlyConfigured(
            f"cannot write to the data folder {HOME}: {error.strerror}. Set COUNTERSIGN_HOME to another one."
        ) from error
    return path.read_text().strip()


SERVICES = _services()
DATABASE_URL = env.str("DATABASE_URL", SERVICES.get("database_url", ""))
REDIS_URL = env.str("REDIS_URL", "") or SERVICES.get("redis_url", "")

SECRET_KEY = env.str("COUNTERSIGN_SECRET_KEY", "") or _secret_key()
DEBUG = env.bool("COUNTERSIGN_DEBUG", False)
PUBLIC_URL = env.str("COUNTERSIGN_PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("COUNTERSIGN_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
HTTPS = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

#: What a check may take when neither the request nor the policy says so, in milliseconds.
DEFAULT_DEADLINE_MS = env.int("COUNTERSIGN_DEADLINE_MS", 2000)
MAX_BODY_BYTES = 1024 * 1024
#: PEM file of the Ed25519 key that signs audit checkpoints; made at the first start.
AUDIT_KEY_FILE = Path(env.str("COUNTERSIGN_AUDIT_KEY_FILE", str(HOME / "keys" / "audit.pem")))
AUDIT_ORIGIN = env.str("COUNTERSIGN_AUDIT_ORIGIN", "countersign.local/audit")

INSTALLED_APPS = [
    "webapp",
    "webapp.accounts",
    "webapp.audit",
    "policies",
    "webapp.interception",
    "review",
    "feedback",
    "webapp.monitoring",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webapp.monitoring.middleware.AnswerProbes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before ApiMiddleware, since the last is asked first what to answer to an exception: the API has a form of its own.
    "webapp.waits.SayWhenToComeBack",
    "webapp.interception.problems.ApiMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webapp.languages.SpeakReadersLanguage",
    "webapp.accounts.middleware.SignInNeedsItsLimit",
]

ROOT_URLCONF = "webapp.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "webapp.accounts.context.membership",
            ],
        },
    },
]

DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL or "postgres:///countersign")}
DATABASES["default"]["CONN_MAX_AGE"] = 600
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Cursors that bind in the server may prepare: those of webapp/prepared.py; the others of Django do not bind there.
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 5
# A host that is gone closes no connection: after so many seconds of silence it is asked, and after 30 given up. What
# DATABASE_URL says comes first.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    **DATABASES["default"]["OPTIONS"],
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "webapp.accounts.adapter.ClosedSignup"
# Nothing here sends mail; the console backend would print it into the log.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or "redis://127.0.0.1:6379/0",
        "KEY_PREFIX": "countersign",
        # What counts attempts to sign in is waited for as long as what a check needs (PATIENCE in workers.client).
        "OPTIONS": {"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
    },
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "webapp" / "locale"]
FORMAT_MODULE_PATH = "webapp.formats"

STATIC_URL = "static/"
# WhiteNoise serves the files from where they are; a deployment that wants them collected says where to.
STATIC_ROOT = env.str("COUNTERSIGN_STATIC_ROOT", "") or None
STATICFILES_DIRS = [BASE_DIR / "webapp" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Whether other names below this one speak TLS is for the operator of the domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
if env.bool("COUNTERSIGN_BEHIND_PROXY", False):
    # Only behind a proxy that sets this header itself: otherwise anybody could claim to have come over TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}
# Bodies are read and limited by the API itself; this bounds the forms of the pages.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# This bounds a request that has files: the largest is an import, of 64 MiB.
UPLOAD_MAX_SIZE = 65 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "webapp.uploads.RefuseTooLarge",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "webapp.interception.problems.QuietFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("COUNTERSIGN_LOG_LEVEL", "INFO")},
    "loggers": {
        "presidio-analyzer": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # It would quote the host, each time; webapp/hosts.py says what there is to say.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
