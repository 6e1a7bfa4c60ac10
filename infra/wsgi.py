"""WSGI application that granian serves."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from infra import metrics_server
from infra.config import config
from infra.http.security_headers import SecurityHeaders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")

application: Any = get_wsgi_application()
for begin in settings.AT_START:
    import_string(begin)()
if config().metrics_port:
    refresh = import_string(settings.REFRESH_METRICS)
    metrics_server.serve(config().metrics_port, refresh=refresh)
if settings.FAST_LANE:
    application = import_string(settings.FAST_LANE)(application)
application = SecurityHeaders(application)
