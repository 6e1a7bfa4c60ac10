"""When is an address known to be its owner's?"""

from uuid import UUID

from command_api.emails.decider import EmailState, VerifyEmail, decide, evolve
from events.catalogue import EmailVerified

ANN = UUID(int=1)


def test_once_it_was_read_it_is_known():
    [event] = decide(VerifyEmail(ANN), EmailState())
    assert event == EmailVerified(user_id=ANN)
    assert decide(VerifyEmail(ANN), evolve(EmailState(), event)) == ()
