"""How is Django set up in each role?

The query role has no database at all, and so neither users nor sessions: tokens carry who asks.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from infra.config import config
from infra.observability import logging_config

_config = config()
ROLE = _config.role


def _database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A server without a port is found by the directory of its socket: ?host=DIRECTORY.
        "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[0],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A forgotten transaction would hold a partition's counter row and so all its writers.
            "options": "-c idle_in_transaction_session_timeout=15s -c timezone=UTC",
            "application_name": f"marquee-{ROLE}",
        },
    }


DEBUG = _config.debug
# Nothing here signs with Django's key: tokens, positions and names have keys of their own.
SECRET_KEY = "unused: see infra/keys.py"  # noqa: S105 - no secret, Django wants a value
ALLOWED_HOSTS = _config.allowed_hosts.split(",")
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = _config.body_limit_bytes
STATIC_URL = "/static/"
# Served by whitenoise from where the packages keep them: nothing has to be collected first.
WHITENOISE_USE_FINDERS = True

INSTALLED_APPS = [
    # simplejwt imports their models; neither touches a database here.
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_yasg",
]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"] if ROLE != "ops" else []
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
WSGI_APPLICATION = "infra.wsgi.application"
FAST_LANE = "query_api.fast_lane.FastLane" if ROLE == "query" else ""
DATABASES: dict[str, dict[str, Any]] = {}

if ROLE != "query":
    DATABASES = {"default": _database(_config.database_url), "vault": _database(_config.vault_url)}
    DATABASE_ROUTERS = ["events.vault.router.VaultRouter"]
    INSTALLED_APPS += ["events", "events.vault", "command_api", "command_api.catalogue"]
if ROLE == "ops":
    INSTALLED_APPS += ["projectors"]
if ROLE == "command":
    MIDDLEWARE += ["command_api.cors.SiteOnly"]
if ROLE != "ops":
    ROOT_URLCONF = f"{ROLE}_api.urls"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["infra.rest.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["infra.rest.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "EXCEPTION_HANDLER": "infra.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"Marquee {ROLE} API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.0.3",
    "SERVE_INCLUDE_SCHEMA": False,
    "APPEND_COMPONENTS": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}
SWAGGER_USE_COMPAT_RENDERERS = False
SWAGGER_SETTINGS = {
    "USE_SESSION_AUTH": False,
    "SECURITY_DEFINITIONS": {
        "bearer": {"type": "apiKey", "name": "Authorization", "in": "header"},
    },
}
SIMPLE_JWT = {"USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": "typ"}
LOGGING = logging_config()
