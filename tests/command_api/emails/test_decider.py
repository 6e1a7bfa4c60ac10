"""Rules for verifying an e-mail address."""

from uuid import UUID

from command_api.emails.decider import EmailState, VerifyEmail, decide, evolve
from events.catalogue import EmailVerified

ANN = UUID(int=1)


def test_address_is_verified_once():
    [event] = decide(VerifyEmail(ANN), EmailState())
    assert event == EmailVerified(user_id=ANN)
    assert decide(VerifyEmail(ANN), evolve(EmailState(), event)) == ()
