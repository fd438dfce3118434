"""One-time codes, and signing in with a phone or with WeChat. The session is given; nothing here commits.

Partners are asked, and codes checked, before the transaction: `check_code`, `ask_wechat`, `ask_wechat_phone`.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from auth.accounts import queries as people
from auth.accounts import rules as account_rules
from auth.accounts import service as accounts
from auth.accounts.errors import AccountFrozen, PhoneHeldByAnother
from auth.accounts.ports import WeChatAccounts, WeChatIdentity, WeChatPhone
from auth.accounts.queries import Binding
from auth.accounts.rules import EndReason, SubjectState
from auth.factors import rules
from auth.factors.errors import CodeWrong, PhoneNotServed
from auth.factors.ports import CodeSender
from auth.factors.rules import CodeUse
from auth.identity import service as identity
from auth.identity.rules import EvidenceType, Purpose, Revocation
from auth.sessions import service as sessions
from auth.sessions.rules import LoginResult, Method, Origin
from core import cache, clock, ids, jobs, ports, security
from core.actors import Citizen, System
from core.errors import Problem, RateLimited, SourceUnavailable, StateConflict
from core.identifiers import normalise_phone
from core.limits import hit
from core.ports import PartnerRefused, PartnerUnavailable
from core.web.access import level_too_low

SEND = "factors.send_code"

_SIGN_IN = System("sign-in")
_SEALED = "otp.delivery"
_LEVEL_FOR_ANOTHER_PHONE = 4

# One round trip, so that tries at the same time are all counted. The stored value is keyed: comparing it tells nothing.
_CHECK = """
local mac = redis.call('HGET', KEYS[1], 'mac')
if not mac then return 0 end
if mac == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 1
end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
return 0
"""

log = logging.getLogger("factors")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SignIn:
    """The tokens of a new session, or a refusal that is recorded and therefore not raised inside the transaction."""

    tokens: sessions.Tokens | None = None
    refusal: Problem | None = None

    def insist(self) -> sessions.Tokens:
        """The tokens. Raises the refusal, if that is what came out."""
        if self.tokens is None:
            raise self.refusal or StateConflict()
        return self.tokens


# One-time codes ------------------------------------------------------------------------------------------------------


def send_code(session: Session, *, phone: str, use: CodeUse, device: str | None = None) -> None:
    """Send a new code to `phone`, good for `use` alone; an earlier one for the same purpose is void.

    Says and takes the same whether or not anybody uses the phone.

    `device`: what the asking device calls itself. Raises `IdentifierError`, `PhoneNotServed`, `RateLimited` (a minute
    apart, 5 an hour, 10 a day per phone; 10 an hour per device), `SourceUnavailable`.
    """
    number = normalise_phone(phone)
    if not number.is_mainland:
        raise PhoneNotServed()
    hashed = people.phone_lookup(number.e164).hex()
    try:
        if device:
            hit(rules.CODES_PER_DEVICE, security.lookup("device", device).hex())
        _keep_apart(hashed)
        hit(rules.CODES_AN_HOUR, hashed)
        hit(rules.CODES_A_DAY, hashed)
        code, delivery_id = rules.as_code(secrets.randbelow(10**rules.POLICY.digits)), ids.random_token(128)
        seconds = int(rules.POLICY.valid.total_seconds())
        sealed = security.encrypt(json.dumps([number.e164, code, use.purpose]), _SEALED)
        key = _code_key(hashed, use.purpose)
        with cache.client().pipeline(transaction=False) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping={"mac": _mac(number.e164, code, use), "delivery": delivery_id})
            pipe.expire(key, seconds)
            pipe.set(_delivery_key(delivery_id), sealed.hex(), ex=seconds)
            pipe.execute()
    except RedisError:
        raise SourceUnavailable() from None
    jobs.defer(session, SEND, delivery_id=delivery_id)


def _keep_apart(hashed: str) -> None:
    key = f"otp:{{{hashed}}}:sent"
    if not cache.client().set(key, "1", nx=True, ex=int(rules.POLICY.resend_after.total_seconds())):
        left = max(1, int(cache.client().ttl(key)))
        raise RateLimited(headers={"Retry-After": str(left)}, retry_after=left)


def deliver_code(delivery_id: str) -> None:
    """Hand the code to the sender; nothing when it was sent, used or replaced. Raises `PartnerUnavailable`, `RedisError`."""
    sealed = cache.client().get(_delivery_key(delivery_id))
    if not isinstance(sealed, str):
        return
    phone, code, purpose = json.loads(security.decrypt(bytes.fromhex(sealed), _SEALED))
    hashed = people.phone_lookup(phone).hex()
    if cache.client().hget(_code_key(hashed, purpose), "delivery") == delivery_id:
        minutes = int(rules.POLICY.valid.total_seconds() // 60)
        try:
            ports.get(CodeSender).send_code(phone, code, minutes, purpose)
        except PartnerRefused as refusal:
            log.warning("a one-time code was refused", extra={"code": refusal.code})
    cache.client().delete(_delivery_key(delivery_id))


def check_code(*, phone: str, code: str, use: CodeUse) -> bool:
    """Whether `code` is the one sent to `phone` for this `use`; a right one is used up, the fifth wrong try voids it.

    A right one that was asked for elsewhere is wrong here, and counts as such. Raises `SourceUnavailable`.
    """
    number = normalise_phone(phone)
    key = _code_key(people.phone_lookup(number.e164).hex(), use.purpose)
    try:
        found = cache.client().eval(_CHECK, 1, key, _mac(number.e164, code, use), str(rules.POLICY.tries))
    except RedisError:
        raise SourceUnavailable() from None
    return bool(found == 1)


def prove_phone(*, phone: str, code: str, use: CodeUse) -> WeChatPhone:
    """The phone that the right code proves, for `add_phone`. Raises `CodeWrong`, `SourceUnavailable`."""
    if not check_code(phone=phone, code=code, use=use):
        raise CodeWrong(tries=rules.POLICY.tries)
    return WeChatPhone(normalise_phone(phone).e164)


def _code_key(hashed: str, purpose: str) -> str:
    return f"otp:{{{hashed}}}:code:{purpose}"


def _delivery_key(delivery_id: str) -> str:
    return f"otp:delivery:{delivery_id}"


def _mac(phone_e164: str, code: str, use: CodeUse) -> str:
    return security.lookup(f"otp:{use.purpose}", f"{phone_e164}:{use.within}:{code}").hex()


# Asking WeChat -------------------------------------------------------------------------------------------------------


def ask_wechat(code: str) -> WeChatIdentity:
    """Who a login code stands for. Outside any transaction; never twice. Raises `LoginCodeInvalid`, `SourceUnavailable`."""
    return _asked(lambda: ports.get(WeChatAccounts).exchange_login_code(code))


def ask_wechat_phone(code: str) -> WeChatPhone:
    """The phone a code stands for. Outside any transaction; never twice. Raises `LoginCodeInvalid`, `SourceUnavailable`."""
    return _asked(lambda: ports.get(WeChatAccounts).exchange_phone_code(code))


def ask_wechat_sealed(code: str, *, encrypted_data: str, iv: str) -> tuple[WeChatIdentity, WeChatPhone]:
    """Who a login code stands for, and the phone sealed for that sign-in. As `ask_wechat`."""
    return _asked(lambda: ports.get(WeChatAccounts).exchange_sealed_phone(code, encrypted_data, iv))


def _asked(question: Callable[[], T]) -> T:
    try:
        return question()
    except PartnerUnavailable:
        raise SourceUnavailable() from None


# Signing in ----------------------------------------------------------------------------------------------------------


def sign_in_by_phone(session: Session, *, phone: str, proven: bool, origin: Origin) -> SignIn:
    """Sign in by a phone whose code was right (`proven`), or record that it was wrong.

    To a person who has proven an identity, a phone alone opens a restricted session: level 1 until the identity is
    proven again. A phone unused for 90 days may have a new owner: it starts a new subject (ID-4). Nobody loses anything
    by that: who proves the old identity is that person again.
    """
    number = normalise_phone(phone)
    hashed = people.phone_lookup(number.e164)
    method = Method.PHONE_CODE
    if not proven:
        subject_id = people.find_by_phone(session, number.e164)
        sessions.note(session, subject_id=subject_id, origin=origin, method=method, result=LoginResult.WRONG_CODE)
        return SignIn(refusal=CodeWrong(tries=rules.POLICY.tries))
    holder = accounts.phone_holder(session, number.e164)
    if holder is not None and account_rules.is_dormant(holder.confirmed_at, clock.now()):
        _take_dormant(session, holder, hashed)
        holder = None
    holder = holder or accounts.open_with_phone(session, phone_e164=number.e164, language=origin.language)
    standing = people.standing(session, holder.subject_id)
    if standing.state is SubjectState.FROZEN:
        return refuse_frozen(session, holder.subject_id, origin, method)
    accounts.confirm_phone(session, holder.id)
    identity.prove_factor(session, subject_id=holder.subject_id, kind=EvidenceType.PHONE, subject_hash=hashed)
    tokens = sessions.open_session(
        session,
        subject_id=holder.subject_id,
        origin=origin,
        method=method,
        phone_binding_id=holder.id,
        proofs_since=clock.now() if standing.proven else None,
    )
    return SignIn(tokens)


def sign_in_by_wechat(session: Session, *, identity_of: WeChatIdentity, origin: Origin) -> SignIn:
    """Sign in by a WeChat account, at the level its subject's evidence gives."""
    holder = accounts.wechat_holder(session, identity_of.openid)
    holder = holder or accounts.open_with_wechat(session, identity=identity_of, language=origin.language)
    if people.standing(session, holder.subject_id).state is SubjectState.FROZEN:
        return refuse_frozen(session, holder.subject_id, origin, Method.WECHAT)
    accounts.confirm_wechat(session, holder.id)
    hashed = people.openid_lookup(identity_of.openid)
    identity.prove_factor(session, subject_id=holder.subject_id, kind=EvidenceType.WECHAT, subject_hash=hashed)
    tokens = sessions.open_session(
        session,
        subject_id=holder.subject_id,
        origin=origin,
        method=Method.WECHAT,
        wechat_binding_id=holder.id,
        proofs_since=holder.proofs_since,
    )
    return SignIn(tokens)


def sign_in_by_wechat_with_phone(
    session: Session, *, identity_of: WeChatIdentity, phone: WeChatPhone, origin: Origin
) -> SignIn:
    """Sign in by a WeChat account and add its phone in one act: both or, with what `add_phone` raises, neither."""
    outcome = sign_in_by_wechat(session, identity_of=identity_of, origin=origin)
    tokens = outcome.tokens
    if tokens is None:
        return outcome
    here = sessions.opened(session, tokens.session_id)
    actor = Citizen(here.subject_id, here.id, tokens.level, origin.channel)
    fresh = add_phone(session, actor=actor, phone=phone)
    return SignIn(replace(tokens, access_token=fresh.access_token, expires_in=fresh.expires_in, level=fresh.level))


def add_phone(session: Session, *, actor: Citizen, phone: WeChatPhone) -> sessions.Fresh:
    """Give the signed-in person the phone that WeChat has verified: level 1 (3.7).

    The phone of another subject: one of the two has proven no identity, then they are one person from now on (ID-3);
    if the other one has, this session joins it restricted (ID-4). Raises `PhoneHeldByAnother` if both have,
    `AuthLevelTooLow` (4) for a second phone of a proven person, `AccountFrozen`.
    """
    here = sessions.opened(session, actor.session_id)
    other = people.find_by_phone(session, phone.number_e164)
    accounts.lock(session, here.subject_id, *([other] if other else []))
    hashed = people.phone_lookup(phone.number_e164)
    holder = accounts.phone_holder(session, phone.number_e164)
    if (holder.subject_id if holder else None) != other:
        raise StateConflict()
    if holder and other != here.subject_id and account_rules.is_dormant(holder.confirmed_at, clock.now()):
        _take_dormant(session, holder, hashed)
        holder = None
    if holder is None:
        subject_id, binding_id = here.subject_id, _another_phone(session, actor, here, phone)
    else:
        subject_id, binding_id = _join(session, actor, here, holder), holder.id
        accounts.confirm_phone(session, binding_id)
    identity.prove_factor(session, subject_id=subject_id, kind=EvidenceType.PHONE, subject_hash=hashed)
    sessions.add_phone(session, session_id=here.id, phone_binding_id=binding_id)
    return sessions.reissue(session, here.id)


def _another_phone(session: Session, actor: Citizen, here: sessions.Open, phone: WeChatPhone) -> UUID:
    """A phone that belongs to nobody becomes this subject's one phone: the binding."""
    if people.has_phone(session, here.subject_id):
        if people.standing(session, here.subject_id).proven:
            raise level_too_low(actor, _LEVEL_FOR_ANOTHER_PHONE, Purpose.CHANGE_PHONE)
        for left in accounts.release_phones(session, actor=actor, subject_id=here.subject_id):
            _lose_phone(session, here.subject_id, people.phone_lookup(left))
    bound = accounts.bind_phone(
        session, subject_id=here.subject_id, phone_e164=phone.number_e164, proofs_since=here.proofs_since
    )
    if bound is None:
        raise StateConflict()
    return bound


def _join(session: Session, actor: Citizen, here: sessions.Open, holder: Binding) -> UUID:
    """The signed-in subject and the phone's are one person: the subject that is left."""
    if holder.subject_id == here.subject_id:
        return here.subject_id
    mine, theirs = people.standing(session, here.subject_id), people.standing(session, holder.subject_id)
    if mine.proven and theirs.proven:
        raise PhoneHeldByAnother()
    if mine.proven and people.has_phone(session, here.subject_id):
        raise level_too_low(actor, _LEVEL_FOR_ANOTHER_PHONE, Purpose.CHANGE_PHONE)
    kept, absorbed = (here.subject_id, holder.subject_id) if mine.proven else (holder.subject_id, here.subject_id)
    since = clock.now() if mine.proven or theirs.proven else None
    if since is not None:
        sessions.restrict(session, subject_id=absorbed, proofs_since=since)
    accounts.merge(session, actor=actor, kept=kept, absorbed=absorbed, proofs_since=since)
    return kept


def _take_dormant(session: Session, holder: Binding, hashed: bytes) -> None:
    accounts.release_phone(session, actor=_SIGN_IN, binding=holder, reason=EndReason.DORMANT)
    _lose_phone(session, holder.subject_id, hashed)
    sessions.end_signed_in_by(session, subject_id=holder.subject_id, phone_binding_id=holder.id, wechat_binding_id=None)


def _lose_phone(session: Session, subject_id: UUID, hashed: bytes) -> None:
    identity.revoke_factor(
        session,
        subject_id=subject_id,
        kind=EvidenceType.PHONE,
        subject_hash=hashed,
        reason=Revocation.PHONE_LOST,
    )


def refuse_frozen(session: Session, subject_id: UUID, origin: Origin, method: Method) -> SignIn:
    """Record that a frozen subject was not signed in; the refusal (ID-12)."""
    sessions.note(session, subject_id=subject_id, origin=origin, method=method, result=LoginResult.FROZEN)
    return SignIn(refusal=AccountFrozen())
