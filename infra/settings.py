"""Django settings of each role.

The query role has no database, so no users and sessions: access tokens identify users.
"""

import secrets
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from infra import mail_settings
from infra.config import config
from infra.observability import logging_config
from infra.security.keys import read_jwks

_config = config()
ROLE = _config.role


def _database(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A Unix socket is named by its directory: ?host=DIRECTORY.
        "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[0],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # An idle transaction would hold a partition's counter row and block all its writers.
            "options": "-c idle_in_transaction_session_timeout=15s -c timezone=UTC",
            "application_name": f"marquee-{ROLE}",
        },
    }


DEBUG = _config.debug
# Nothing signs with Django's key: tokens, positions and names have keys of their own. So each
# process has a random one, and anything signed with it by mistake is invalid elsewhere.
SECRET_KEY = secrets.token_urlsafe(64)
ALLOWED_HOSTS = _config.allowed_hosts.split(",")
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = _config.body_limit_bytes
STATIC_URL = "/static/"
# whitenoise serves static files from the packages: no collectstatic.
WHITENOISE_USE_FINDERS = True

INSTALLED_APPS = [
    # simplejwt imports their models; their tables are never made.
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
    DATABASE_ROUTERS = ["infra.database_router.VaultRouter"]
    INSTALLED_APPS += ["events", "events.vault", "command_api", "command_api.catalogue"]
if ROLE == "ops":
    INSTALLED_APPS += ["projectors"]
if ROLE == "command":
    MIDDLEWARE += ["command_api.http.cors.CorsMiddleware"]
    INSTALLED_APPS += [
        "django.contrib.admin.apps.SimpleAdminConfig"
    ]  # after our apps, whose templates win
    CSRF_FAILURE_VIEW = "command_api.admin.access.refuse_forged"
if ROLE != "ops":
    ROOT_URLCONF = f"{ROLE}_api.urls"

SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # infra.http.security_headers sets more, on every response
    "security.W002",  # likewise
    "security.W003",  # only the staff's pages have a cookie; they check CSRF themselves
    # The staff's pages have a session cookie of their own and no messages:
    "admin.E402",  # no context processor of Django's users,
    "admin.E404",  # nor of messages,
    "admin.E406",  # nor its app,
    "admin.E408",  # nor Django's users,
    "admin.E409",  # nor the messages themselves,
    "admin.E410",  # nor its sessions
]
# Of the staff's forms; the cookie lives as long as their session cookie.
CSRF_COOKIE_NAME = "marquee_admin_csrf"
CSRF_COOKIE_PATH = "/admin/"
CSRF_COOKIE_AGE = None
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = _config.https_only

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["infra.http.strict_json.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["infra.http.strict_json.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["infra.http.permissions.Nobody"],
    "EXCEPTION_HANDLER": "infra.http.problem_details.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"Marquee {ROLE} API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.0.3",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": ROLE != "ops",  # it serves no requests
    "DESCRIPTION": "Errors are problem details (RFC 9457). Responses have rate-limit headers.",
    "LICENSE": {"name": "MIT"},
    "APPEND_COMPONENTS": {
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "infra.http.openapi_examples.complete",
    ],
}
SWAGGER_USE_COMPAT_RENDERERS = False
SWAGGER_SETTINGS = {
    "USE_SESSION_AUTH": False,
    "SECURITY_DEFINITIONS": {
        "bearer": {"type": "apiKey", "name": "Authorization", "in": "header"},
    },
}
SIMPLE_JWT = {"USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": "typ"}

# Sets gauges before each answer of an API's metrics server (infra/wsgi.py).
REFRESH_METRICS = {
    "command": "command_api.sync.metrics.refresh",
    "query": "query_api.ops.metrics.refresh",
}.get(ROLE, "")
# Background threads of a process that serves HTTP (infra/wsgi.py).
AT_START = ["command_api.emails.delivery.start"] if ROLE == "command" else []

read_jwks(_config.public_jwks)  # stops the process at start if it is invalid
_mail = mail_settings.parse(_config.mail_url)
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.use_starttls, _mail.use_tls
EMAIL_FILE_PATH = _mail.directory
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = _config.mail_from

LOGGING = logging_config()
