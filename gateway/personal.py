"""What every feature knows of persons, and what each forgets when an account is closed (P-4); part of the wiring."""

from __future__ import annotations

from auth.accounts.events import AccountClosed, SubjectsMerged
from auth.accounts.personal import queries as accounts
from auth.consent.personal import queries as consents
from auth.consent.personal import service as consent
from auth.delegation.personal import queries as powers
from auth.delegation.personal import service as delegation
from auth.identity.personal import queries as evidence
from auth.identity.personal import service as identity
from auth.oidc.consents.personal import queries as authorisations
from auth.oidc.consents.personal import service as oidc_consents
from auth.organisations.personal import queries as roles
from auth.organisations.personal import service as organisations
from auth.personal_data.closing import service as closing
from auth.personal_data.closing.events import ClosingAsked, ClosingEnded
from auth.personal_data.corrections import queries as requests
from auth.personal_data.corrections import service as corrections
from auth.personal_data.corrections.events import CorrectionAnswered
from auth.personal_data.exports import service as exports
from auth.personal_data.exports.events import ExportReady
from auth.personal_data.ports import Source, Sources
from auth.sessions.personal import queries as sign_ins
from auth.sessions.personal import service as sessions
from casework.appointments.personal import queries as visits
from casework.appointments.personal import service as appointments
from casework.cases.personal import queries as cases
from casework.catalogue.personal import queries as items
from casework.delivery.personal import queries as parcels
from casework.delivery.personal import service as delivery
from casework.files.personal import queries as uploads
from casework.files.personal import service as files
from casework.persons.looks import queries as looks
from casework.prereview.personal import queries as prereviews
from casework.prereview.personal import service as prereview
from core import ports
from core.events import subscribe
from notifications.messages.personal import queries as inbox
from notifications.messages.personal import service as messages
from notifications.preferences import service as preferences
from payments.bills.personal import queries as bills

SOURCES = Sources(
    (
        Source("account", ("账号", "Account"), accounts.export),
        Source("identity", ("实名认证记录", "Proofs of identity"), evidence.export, evidence.open_matters),
        Source("sign_ins", ("登录记录", "Sign-ins"), sign_ins.export),
        Source("consents", ("同意记录", "Consents"), consents.export),
        Source("authorisations", ("对其他系统的授权", "Consents to other systems"), authorisations.export),
        Source("delegations", ("委托代办", "Delegations"), powers.export),
        Source("organisations", ("单位身份", "Roles in organisations"), roles.export),
        Source("prereviews", ("办事预审", "Pre-reviews"), prereviews.export, prereviews.open_matters),
        Source("appointments", ("预约", "Appointments"), visits.export, visits.open_matters),
        Source("cases", ("办件", "Cases"), cases.export, cases.open_matters),
        Source("bills", ("缴费", "Bills"), bills.export, bills.open_matters),
        Source("deliveries", ("快递送达", "Deliveries"), parcels.export, parcels.open_matters),
        Source("files", ("上传的材料", "Uploads"), uploads.export),
        Source("items", ("收藏和浏览的事项", "Favourite and seen items"), items.export),
        Source("messages", ("消息", "Messages"), inbox.export),
        Source("looks", ("工作人员查看记录", "Looks by staff"), looks.export),
        Source("requests", ("更正与说明申请", "Corrections and explanations"), requests.export, requests.open_matters),
    )
)


def wire() -> None:
    """List the sources, and say who forgets what, in this order: files go once their matters have let go of them."""
    ports.provide(Sources, SOURCES)
    for moving in (exports, corrections, closing):
        subscribe(SubjectsMerged, moving.move_owner)
    for closed in (sessions, identity, consent, oidc_consents, delegation, organisations, exports, corrections):
        subscribe(AccountClosed, closed.on_account_closed)
    for forgetting in (prereview, appointments, delivery, files):
        subscribe(AccountClosed, forgetting.on_account_closed)
    subscribe(AccountClosed, preferences.on_account_closed)
    subscribe(AccountClosed, messages.on_account_closed)
    subscribe(ExportReady, messages.on_export_ready)
    subscribe(CorrectionAnswered, messages.on_correction_answered)
    subscribe(ClosingAsked, messages.on_closing_asked)
    subscribe(ClosingEnded, messages.on_closing_ended)
