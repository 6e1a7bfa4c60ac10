"""Password reset by email on a running platform."""

import re

from tests.fixtures.platform import PASSWORD
from tests.fixtures.waiting import until

OTHER = "l-arrivee-d-un-train"
TOKEN = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)


def test_forgotten_password_is_reset_by_email(shared_platform, register_client):
    auguste = register_client(shared_platform.platform, "auguste")

    def letter(subject):
        letters = [path.read_text() for path in shared_platform.mail.iterdir()]
        his = (it for it in letters if "To: auguste@example.org\n" in it)
        return next((it for it in his if subject in it and TOKEN.search(it)), None)

    until(lambda: letter("Verify your e-mail address"))
    forgot = auguste.command.post("/v1/passwords/forgot", json={"email": "auguste@example.org"})
    assert forgot.status_code == 202
    [token] = TOKEN.findall(until(lambda: letter("Reset your password")))
    chosen = {"token": token, "password": OTHER}
    reset = auguste.command.post("/v1/passwords/reset", json=chosen)
    assert reset.status_code == 204
    assert auguste.read("/v1/me/ratings", reset.headers["Log-Position"]).status_code == 401
    log_ins = [
        auguste.command.post(
            "/v1/tokens", json={"login": "auguste", "password": password}
        ).status_code
        for password in (PASSWORD, OTHER)
    ]
    assert log_ins == [401, 200]
