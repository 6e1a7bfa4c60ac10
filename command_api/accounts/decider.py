"""When does a registration become an event?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import UserRegistered
from events.catalogue.accounts import EncryptedField
from events.recorded import Stream


@dataclass(frozen=True, slots=True)
class Register:
    """Open an account. That nobody else has these names is the vault's to know."""

    user_id: UUID
    username: EncryptedField
    email: EncryptedField


@dataclass(frozen=True, slots=True)
class AccountState:
    """Whether there is an account."""

    is_open: bool = False


def decide(command: Register, account: AccountState) -> Sequence[UserRegistered]:
    """What the command leads to."""
    if account.is_open:
        return ()
    return (
        UserRegistered(user_id=command.user_id, username=command.username, email=command.email),
    )


def evolve(_before: AccountState, event: UserRegistered) -> AccountState:
    """The account after an event."""
    match event:
        case UserRegistered():
            return AccountState(is_open=True)


def stream_of(user_id: UUID) -> Stream:
    """Where a user's account is kept."""
    return Stream(f"user-{user_id}", str(user_id))


account: Aggregate[Register, AccountState, UserRegistered] = Aggregate(
    stream=lambda command: stream_of(command.user_id),
    initial=AccountState(),
    decide=decide,
    evolve=evolve,
)
