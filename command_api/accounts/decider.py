"""Rules for registering an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import UserRegistered
from events.catalogue.accounts import EncryptedField
from events.recorded import Stream


@dataclass(frozen=True, slots=True)
class Register:
    """Open an account. The vault has checked that the names are unique."""

    user_id: UUID
    username: EncryptedField
    email: EncryptedField


@dataclass(frozen=True, slots=True)
class AccountState:
    is_open: bool = False


def decide(command: Register, account: AccountState) -> Sequence[UserRegistered]:
    """Return the event that opens the account, once."""
    if account.is_open:
        return ()
    return (
        UserRegistered(user_id=command.user_id, username=command.username, email=command.email),
    )


def evolve(_before: AccountState, event: UserRegistered) -> AccountState:
    match event:
        case UserRegistered():
            return AccountState(is_open=True)


def stream_of(user_id: UUID) -> Stream:
    return Stream(f"user-{user_id}", str(user_id))


account: Aggregate[Register, AccountState, UserRegistered] = Aggregate(
    stream=lambda command: stream_of(command.user_id),
    initial=AccountState(),
    decide=decide,
    evolve=evolve,
)
