"""Ports to adapters and events to handlers: the only place that knows both sides."""

from __future__ import annotations

import importlib

from sqlalchemy.orm import Session

from auth.accounts.alipay.ports import AlipayAccounts
from auth.accounts.events import (
    AccountChanged,
    AccountClosed,
    PhoneReplaced,
    SubjectFrozen,
    SubjectRestored,
    SubjectsMerged,
)
from auth.accounts.ports import WeChatAccounts
from auth.consent import service as consent
from auth.delegation import service as delegation
from auth.delegation.events import ConfirmationAsked, DelegationChanged
from auth.delegation.guardians.ports import HouseholdRegistry
from auth.factors.ports import CodeSender
from auth.identity import service as identity
from auth.identity.alipay.ports import AlipayRealName
from auth.identity.conflicts import service as conflicts
from auth.identity.events import IdentityRaised, IdentityReviewed
from auth.identity.network import service as network_identity
from auth.identity.ports import IdentityAuthority, IdentitySignals, NetworkIdentity
from auth.identity.reviews import service as reviews
from auth.oidc.consents import service as oidc_consents
from auth.oidc.consents.events import ConsentWithdrawn
from auth.oidc.grants import service as oidc_grants
from auth.oidc.keys.ports import Issuer
from auth.oidc.logout import service as oidc_logout
from auth.oidc.logout.ports import BackchannelLogout
from auth.organisations import service as organisations
from auth.organisations.events import RoleBegun, RoleEnded
from auth.organisations.ports import MarketRegistry
from auth.redirects.ports import ReturnAddresses
from auth.sessions import authenticator
from auth.sessions import service as sessions
from auth.sessions.devices import service as devices
from auth.sessions.events import NewDeviceSignedIn, SessionEnded, SignInDisowned
from auth.staff.events import StaffLeft
from casework.appointments import service as appointments
from casework.appointments.freezes import service as frozen_bookings
from casework.cases import service as cases
from casework.cases.attention import service as attention
from casework.cases.events import CaseDelivered, CaseTransferred, CaseWithdrawn
from casework.catalogue.events import ItemKept, ItemPublicationWithdrawn, ItemRetired, ItemVersionsPublished
from casework.catalogue.personal import service as own_items
from casework.catalogue.search import service as catalogue_search
from casework.counter.service import PREREVIEW
from casework.delivery import service as delivery
from casework.delivery.events import ShipmentDelivered
from casework.delivery.ports import CallbackAddress, Courier
from casework.fees import service as fees
from casework.files import service as files
from casework.files.ports import FileStore
from casework.itemchanges import service as item_changes
from casework.prereview import service as prereview
from casework.prereview.events import PreReviewEvent, PreReviewExpired, PreReviewRejected, PreReviewWithdrawn
from casework.prereview.review import service as prereview_review
from core import cache, clock, db, ports, security
from core.actors import System
from core.events import subscribe
from core.settings import Settings
from core.web.consent import ConsentCheck
from gateway import personal
from gateway.models import feature_modules, load_all
from notifications.channels.ports import ShortMessages, SubscribeMessages
from notifications.delegations import service as delegation_notices
from notifications.messages import service as messages
from notifications.oldphones import service as old_phones
from notifications.preferences import service as preferences
from notifications.preferences.ports import WeChatPushes
from notifications.templates import queries as templates
from partners.alipay.accounts import AlipayOAuth
from partners.alipay.payments import AlipayPayments
from partners.alipay.real_name import AlipayCertVerify
from partners.couriers.kuaidi100 import Kuaidi100
from partners.household_registry.adapter import SignedHouseholdRegistry
from partners.identity_authority.adapter import SignedIdentityAuthority
from partners.market_registry.adapter import SignedMarketRegistry
from partners.network_identity.adapter import SignedNetworkIdentity
from partners.oidc_clients.backchannel import HttpBackchannelLogout
from partners.sms.aliyun import AliyunSms
from partners.sms.failover import Sender, SmsFailover
from partners.sms.tencent import TencentSms, TencentTemplate
from partners.storage import store_for
from partners.wechat.accounts import WeChatMiniProgramAccounts
from partners.wechat.client import MiniProgramClient
from partners.wechat.push import WeChatPushReader
from partners.wechat.subscribe import MiniProgramState, WeChatSubscribeMessages
from payments.bills import service as bills
from payments.orders.events import BillPaid
from payments.orders.ports import PaymentPlatform
from payments.refunds.ports import RefundPlatform


def wire(settings: Settings) -> None:
    """Make this process ready to work: database, Redis, keys, adapters, handlers, jobs. May be called again."""
    db.configure(settings.database_url, pool=settings.database_pool)
    cache.configure(settings.redis_url)
    security.configure(settings.crypto)

    authenticator.configure(settings.crypto.token_private_key, settings.public_url)
    clock.use_shift_file(settings.clock_shift_file)
    load_all()
    provide_adapters(settings)
    subscribe_handlers()
    personal.wire()
    for module in ("core.maintenance", *feature_modules("jobs")):
        importlib.import_module(module)


def provide_adapters(settings: Settings) -> None:
    """Give every port its adapter."""
    wechat = MiniProgramClient(settings.wechat)
    sms = _short_messages(settings)
    alipay = AlipayPayments(settings.alipay, settings.public_url)
    ports.provide(WeChatAccounts, WeChatMiniProgramAccounts(wechat))
    release: MiniProgramState = "formal" if settings.environment == "production" else "trial"
    ports.provide(WeChatPushes, WeChatPushReader(settings.wechat))
    ports.provide(SubscribeMessages, WeChatSubscribeMessages(wechat, settings.wechat.template_ids, release))
    ports.provide(CodeSender, sms)
    ports.provide(ShortMessages, sms)
    authority = SignedIdentityAuthority(settings.identity_authority)
    ports.provide(IdentityAuthority, authority)
    ports.provide(IdentitySignals, authority)
    ports.provide(MarketRegistry, SignedMarketRegistry(settings.market_registry))
    ports.provide(HouseholdRegistry, SignedHouseholdRegistry(settings.household_registry))
    ports.provide(NetworkIdentity, SignedNetworkIdentity(settings.network_identity))
    ports.provide(AlipayAccounts, AlipayOAuth(settings.alipay, settings.public_url))
    ports.provide(AlipayRealName, AlipayCertVerify(settings.alipay, settings.public_url))
    ports.provide(ReturnAddresses, ReturnAddresses(settings.public_url, settings.login_return_urls))
    ports.provide(PaymentPlatform, alipay)
    ports.provide(RefundPlatform, alipay)
    ports.provide(Courier, Kuaidi100(settings.kuaidi100))
    ports.provide(CallbackAddress, CallbackAddress(settings.public_url, settings.callback_path_secret))
    ports.provide(FileStore, store_for(settings.files_url))
    ports.provide(Issuer, Issuer(settings.public_url))
    ports.provide(BackchannelLogout, HttpBackchannelLogout())
    ports.provide(ConsentCheck, consent.ConsentDesk())


def _short_messages(settings: Settings) -> SmsFailover:
    """Aliyun, and Tencent behind it where the operator has an account there."""
    codes = templates.sms_codes()
    senders: list[Sender] = [AliyunSms(settings.sms, {**codes, **settings.sms.template_codes})]
    if settings.tencent_sms is not None:
        # By default both platforms know a template by one number; Aliyun writes a prefix before it.
        numbers = {code: registered.removeprefix("SMS_") for code, registered in codes.items()}
        ids = {**numbers, **settings.tencent_sms.template_ids}
        fields = templates.sms_fields()
        known = {code: TencentTemplate(number, fields[code]) for code, number in ids.items() if code in fields}
        senders.append(TencentSms(settings.tencent_sms, known))
    return SmsFailover(senders)


def subscribe_handlers() -> None:
    """Say who hears what. Handlers run in the publisher's transaction, in this order."""
    for feature in (sessions, devices, identity, consent):
        subscribe(SubjectsMerged, feature.move_owner)
    for feature in (reviews, conflicts, network_identity):
        subscribe(SubjectsMerged, feature.move_owner)
    for feature in (delegation, organisations):
        subscribe(SubjectsMerged, feature.move_owner)
    subscribe(DelegationChanged, delegation_notices.on_delegation_changed)
    subscribe(ConfirmationAsked, delegation_notices.on_confirmation_asked)
    subscribe(RoleBegun, delegation_notices.on_role_begun)
    subscribe(RoleEnded, delegation_notices.on_role_ended)
    for feature in (oidc_consents, oidc_grants):
        subscribe(SubjectsMerged, feature.move_owner)
    subscribe(SessionEnded, oidc_logout.on_session_ended)
    subscribe(ConsentWithdrawn, oidc_logout.on_consent_withdrawn)
    for feature in (prereview, files, appointments, cases, delivery, bills, messages, preferences):
        subscribe(SubjectsMerged, feature.move_owner)
    subscribe(SubjectFrozen, attention.on_subject_frozen)
    subscribe(SubjectFrozen, frozen_bookings.on_subject_frozen)
    subscribe(SubjectRestored, attention.on_subject_restored)
    subscribe(SubjectRestored, frozen_bookings.on_subject_restored)
    subscribe(AccountChanged, messages.on_account_changed)
    subscribe(PhoneReplaced, old_phones.on_phone_replaced)
    subscribe(SessionEnded, consent.on_session_ended)
    subscribe(NewDeviceSignedIn, messages.on_new_device)
    subscribe(SignInDisowned, messages.on_sign_in_disowned)
    subscribe(IdentityRaised, messages.on_identity_raised)
    subscribe(IdentityReviewed, messages.on_identity_reviewed)
    subscribe(SubjectsMerged, own_items.move_owner)
    subscribe(AccountClosed, own_items.on_account_closed)
    subscribe(ItemVersionsPublished, catalogue_search.on_published)
    subscribe(ItemVersionsPublished, item_changes.on_published)
    subscribe(ItemPublicationWithdrawn, item_changes.on_withdrawn)
    subscribe(ItemRetired, item_changes.on_retired)
    subscribe(ItemKept, item_changes.on_kept)
    subscribe(ItemRetired, catalogue_search.on_ended)
    subscribe(ItemKept, catalogue_search.on_ended)
    subscribe(ItemPublicationWithdrawn, catalogue_search.on_ended)
    subscribe(BillPaid, cases.on_bill_paid)
    subscribe(CaseWithdrawn, delivery.on_case_closed)
    subscribe(CaseDelivered, delivery.on_case_closed)
    subscribe(CaseTransferred, delivery.on_case_transferred)
    subscribe(ShipmentDelivered, _result_delivered)
    subscribe(StaffLeft, prereview_review.on_staff_left)
    for ended in (PreReviewExpired, PreReviewRejected, PreReviewWithdrawn):
        subscribe(ended, _prereview_ended)


def _result_delivered(session: Session, event: ShipmentDelivered) -> None:
    cases.on_result_delivered(session, event.case_id, event.at)


def _prereview_ended(session: Session, event: PreReviewEvent) -> None:
    """What was billed or prepaid on a pre-review that comes to nothing goes back (PY-6, PY-10)."""
    fees.give_back(session, actor=System("prereview"), matter=(PREREVIEW, event.prereview_id), reason="预审已结束")
