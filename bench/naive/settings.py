"""Settings of the naive app."""

import os

import dj_database_url

SECRET_KEY = "not a secret"  # noqa: S105 - it protects nothing
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["bench.naive"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "bench.naive.web"
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
DATABASES["default"]["CONN_MAX_AGE"] = 600
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
