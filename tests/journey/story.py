"""The story of DOMAIN 4.2, second-hand home: one citizen, clerks, Alipay and a courier, on real protocols.

Each step is a function that can be asked again after an interruption: it looks at what is already there first. So the chaos
test can kill any part between and during steps, and the story still ends with one case, one payment and one delivery.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from core.clock import SHANGHAI
from tests.journey.client import StoryBroken, png, wait_until
from tests.journey.signing_in import BUYER, SigningIn

ITEM = "NB-002"
OWN_WORDS = ("二手房过户", "ershoufang")


class Story(SigningIn):
    """The steps, in the order of the story."""

    def steps(self) -> Iterator[tuple[str, str, Callable[[], str]]]:
        """(who, what, act) in order; an act returns what came back."""
        me, clerk, officer = self.buyer["name"], "窗口 clerk", "部门 officer"
        yield me, "signs in through WeChat", self.sign_in
        yield me, "binds the phone by WeChat's phone code", self.bind_phone
        yield me, "proves name and ID number (level 2)", self.prove_identity
        yield me, "opens another department's site, signed in", self.open_tile
        yield me, "looks where the account is signed in", self.own_sessions
        yield me, "finds the matter in own words and by pinyin", self.find_item
        yield me, "uploads papers, asks for pre-review", self.ask_prereview
        yield clerk, "signs in with password and TOTP", lambda: self.staff_sign_in("clerk")
        yield clerk, "claims the pre-review, judges each paper", self.judge_papers
        yield me, "books a window", self.book
        yield clerk, "issues the bill for the registration fee", self.issue_bill
        yield me, "prepays the fee by Alipay", self.pay
        yield me, "arrives at the hall, is checked in", self.check_in
        yield clerk, "calls the ticket, accepts the case", self.accept
        yield me, "looks progress up, signed in", self.own_progress
        yield "a relative", "looks progress up by number", self.public_progress
        yield officer, "reviews, grants, concludes", self.decide
        yield me, "asks for the certificate by courier", self.ask_courier
        yield clerk, "packs, a second clerk seals", self.pack
        yield "快递 courier", "takes it and carries it to the door", self.carry
        yield me, "gives the delivery code and signs", self.sign_for
        yield me, "reads the inbox", self.read_inbox

    # The papers --------------------------------------------------------------------------------------------------

    def find_item(self) -> str:
        """Search as a person types (S21), then the guide."""
        for words in OWN_WORDS:
            found = self.web.call("GET", "/api/v1/catalogue/items", params={"q": words})["items"]
            if ITEM not in [item["item_id"] for item in found]:
                raise StoryBroken(f"{ITEM} is not among the {len(found)} found by {words}")
        item = self.web.call("GET", f"/api/v1/catalogue/items/{ITEM}")
        self.facts["item"] = item
        return f"found by {'、'.join(OWN_WORDS)}; {len(item['materials'])} materials, 25 minutes at the counter"

    def ask_prereview(self) -> str:
        """Draft, one upload per required paper, submit."""
        halls = self.web.call("GET", "/api/v1/places/halls")["items"]
        self.facts["hall"] = next(hall for hall in halls if hall["code"] == "NB-CITY")
        body = {"item_id": ITEM, "hall_id": self.facts["hall"]["id"], "answers": {}}
        item = self.facts["item"]
        body["answers"] = {question["key"]: "no" for question in item["questions"]}
        me = self.tokens["me"]
        draft = self.web.call("POST", "/api/v1/prereviews", token=me, once=True, expect=201, json=body)
        self.facts["prereview"] = draft["id"]
        for material in draft["materials"]:
            picture = {"file": (f"材料{material['no']}.png", png(material["no"]), "image/png")}
            kept = self.web.call("POST", "/api/v1/files", token=me, files=picture)
            self.web.call(
                "PUT",
                f"/api/v1/prereviews/{draft['id']}/materials/{material['no']}",
                token=me,
                json={"provision": "UPLOAD", "file_ids": [kept["id"]]},
            )
        done = self.web.call("POST", f"/api/v1/prereviews/{draft['id']}/submit", token=me, once=True)
        return f"{done['number']} {done['state']}, {len(draft['materials'])} papers"

    def judge_papers(self) -> str:
        """Claim, a verdict for each paper, conclude."""
        clerk, path = self.tokens["clerk"], f"/staff/v1/prereviews/{self.facts['prereview']}"
        self.web.call("POST", f"{path}/claim", token=clerk)
        papers = self.web.call("GET", path, token=clerk)["prereview"]["materials"]
        for paper in papers:
            verdict = {"verdict": "QUALIFIED"}
            self.web.call("PUT", f"{path}/materials/{paper['no']}/verdict", token=clerk, json=verdict)
        return str(self.web.call("POST", f"{path}/conclude", token=clerk)["state"])

    # The visit -----------------------------------------------------------------------------------------------------

    def book(self) -> str:
        """The first free slot of the coming days; a booking that an earlier, broken story left gives way."""
        me = self.tokens["me"]
        mine = self.web.call("GET", "/api/v1/appointments", token=me, params={"limit": 100})["items"]
        taken = {old["starts_at"][:10] for old in mine if old["state"] not in {"BOOKED", "CANCELLED"}}
        for old in mine:
            if old["state"] == "BOOKED" and old["item_id"] == ITEM:
                self.web.call("POST", f"/api/v1/appointments/{old['id']}/cancel", token=me)
        query = {"item_id": ITEM, "hall_id": self.facts["hall"]["id"], "days": 10, "prereviewed": True}
        listing = self.web.call("GET", "/api/v1/appointments/slots", params=query)
        free = (slot for day in listing["days"] if day["day"] not in taken for slot in day["slots"] if slot["places"])
        slot = next(free, None)
        if slot is None:
            raise StoryBroken("no free slot in the days ahead")
        body = {"item_id": ITEM, "slot_id": slot["id"], "prereview_id": self.facts["prereview"]}
        booking = self.web.call("POST", "/api/v1/appointments", token=me, once=True, expect=201, json=body)
        self.facts.update(booking=booking["id"], slot_starts=slot["starts_at"])
        self.facts["qr"] = self.web.call("GET", f"/api/v1/appointments/{booking['id']}/qr", token=me)["text"]
        return f"{booking['number']} at {slot['starts_at']}"

    def issue_bill(self) -> str:
        """One home, one registration fee."""
        body = {"prereview_id": self.facts["prereview"], "quantities": {"1": 1}}
        bill = self.web.call("POST", "/staff/v1/bills", token=self.tokens["clerk"], once=True, expect=201, json=body)[
            "bills"
        ][0]
        self.facts["bill"] = bill["id"]
        return f"{bill['number']} over {bill['total_fen'] / 100:.2f} yuan"

    def pay(self) -> str:
        """An order, the Alipay app on the phone, and the signed notify."""
        me = self.tokens["me"]
        path = f"/api/v1/prepayment/bills/{self.facts['bill']}/orders"
        order = self.web.call("POST", path, token=me, once=True, expect=(200, 201), json={"scene": "APP"})
        self.facts["order_no"] = order_no(order["pay"]["order_string"])
        self.partner.call("POST", "/alipay/pay", json={"order_string": order["pay"]["order_string"], "persona": BUYER})
        bill = wait_until("the bill is paid", self._paid, seconds=max(20, self.patience))
        return f"{bill['state']}, told by Alipay's signed notify"

    def _paid(self) -> dict[str, Any] | None:
        bill: dict[str, Any] = self.web.call("GET", f"/api/v1/bills/{self.facts['bill']}", token=self.tokens["me"])
        return bill if bill["state"] == "PAID" else None

    def check_in(self) -> str:
        """The clock of the stack goes on to the slot; the citizen signs in anew, for tokens have aged."""
        starts = datetime.fromisoformat(self.facts["slot_starts"])
        self.stack.clock_shift.write_text(str(max(0.0, starts.timestamp() - time.time() - 600)))
        time.sleep(0.5)
        self.sign_in()
        path, body = "/staff/v1/hall/check-in", {"qr_token": self.facts["qr"]}
        ticket = self.web.call("POST", path, token=self.tokens["clerk"], once=True, expect=201, json=body)
        self.facts["ticket"] = ticket["id"]
        return f"ticket {ticket['number']}"

    def accept(self) -> str:
        """Call, compare the card, accept: the legal clock starts."""
        clerk = self.tokens["clerk"]
        queue = "/staff/v1/queue"
        self._call_up_to_me(queue)
        mine = f"{queue}/tickets/{self.facts['ticket']}"
        self.web.call("POST", f"{mine}/serve", token=clerk)
        body = {
            "prereview_id": self.facts["prereview"],
            "document_type": self.buyer["document_type"],
            "document_number": self.buyer["document_number"],
        }
        case = self.web.call("POST", "/staff/v1/cases", token=clerk, once=True, expect=201, json=body)
        self.web.call("POST", f"{mine}/finish", token=clerk, json={"result": "ACCEPTED"})
        self.facts.update(case=case["id"], case_number=case["number"])
        return f"{case['number']} {case['state_label']}, due {case['due_on']}"

    def _call_up_to_me(self, queue: str) -> None:
        """The window calls in order; numbers that an earlier, broken story left are sent away first."""
        clerk, window = self.tokens["clerk"], self._window()
        for _ in range(20):
            called = self.web.call("POST", f"{queue}/call-next", token=clerk, json={"window": window})["ticket"]
            if called is None or called["id"] == self.facts["ticket"]:
                return
            self.web.call("POST", f"{queue}/tickets/{called['id']}/serve", token=clerk)
            self.web.call("POST", f"{queue}/tickets/{called['id']}/finish", token=clerk, json={"result": "LEFT"})

    def _window(self) -> str:
        hall = self.web.call("GET", f"/api/v1/places/halls/{self.facts['hall']['id']}")
        zone = next(zone for zone in hall["zones"] if zone["code"] == self.facts["item"]["zone"]["code"])
        return str(next(window["code"] for window in zone["windows"] if window["state"] == "OPEN"))

    def own_progress(self) -> str:
        """The timeline, signed in."""
        case = self.web.call("GET", f"/api/v1/cases/{self.facts['case']}", token=self.tokens["me"])
        return " → ".join(step["state_label"] for step in case["timeline"])

    def public_progress(self) -> str:
        """Number, name and ID tail; the name comes back masked."""
        body = {
            "case_number": self.facts["case_number"],
            "name": self.buyer["name"],
            "id_tail": self.buyer["document_number"][-4:],
        }
        found = self.web.call("POST", "/api/v1/progress/lookup", json=body)
        return f"{found['applicant']}: {found['state_label']}"

    def decide(self) -> str:
        """The back office confirms with the password, grants, records the certificate, has it made."""
        self.staff_sign_in("officer")
        officer, path = self.tokens["officer"], f"/staff/v1/cases/{self.facts['case']}"
        again = {"act": "DECIDE", "password": self.stack.staff["officer"]["password"]}
        self.web.call("POST", "/staff/v1/login/confirm", token=officer, json=again)
        self.web.call("POST", f"{path}/decide", token=officer, json={"granted": True})
        body = {"result_name": "不动产权证书", "result_number": "浙(2026)宁波市不动产权第0000001号"}
        self.web.call("POST", f"{path}/conclude", token=officer, json=body)
        return str(self.web.call("POST", f"{path}/issue", token=officer)["state_label"])

    # The courier ---------------------------------------------------------------------------------------------------

    def ask_courier(self) -> str:
        """To oneself, at home: level 3, which the card at the counter gave."""
        body = {
            "case_id": self.facts["case"],
            "address": {
                "region_code": "330212",
                "region": "浙江省宁波市鄞州区",
                "street": "百丈街道",
                "detail": "彩虹南路 1 号 2 幢 301 室",
            },
        }
        self.facts["address"] = body["address"]
        made = self.web.call("POST", "/api/v1/deliveries", token=self.tokens["me"], once=True, expect=201, json=body)
        self.facts["shipment"] = made["id"]
        return f"{made['number']} {made['state']}"

    def pack(self) -> str:
        """Two people sign the pack list (CR-6); the order goes to the carrier."""
        self.staff_sign_in("second-clerk")
        path = f"/staff/v1/shipments/{self.facts['shipment']}"
        pack = {"items": [{"name": "不动产权证书", "number": "浙(2026)宁波市不动产权第0000001号", "copies": 1}]}
        self.web.call("POST", f"{path}/confirm", token=self.tokens["clerk"], json=pack)
        self.web.call("POST", f"{path}/seal", token=self.tokens["second-clerk"])
        ordered = wait_until("the carrier has the order", self._ordered, seconds=max(30, self.patience))
        self.web.call("POST", f"{path}/hand-over", token=self.tokens["clerk"])
        return f"waybill {ordered['waybill']}"

    def _ordered(self) -> dict[str, Any] | None:
        shipment = self._shipment()
        if shipment.get("waybill"):
            self.facts["waybill"] = shipment["waybill"]
            return shipment
        return None

    def _shipment(self) -> dict[str, Any]:
        found: dict[str, Any] = self.web.call(
            "GET", f"/api/v1/deliveries/{self.facts['shipment']}", token=self.tokens["me"]
        )
        return found

    def carry(self) -> str:
        """Collected, on the way, out for delivery: three signed callbacks."""
        sent = self.partner.call("GET", "/outbox.json")["messages"]
        self.facts["sent_before"] = sent[0]["id"] if sent else 0  # a code of an earlier story doesn't count
        for state in ("picked_up", "in_transit", "out_for_delivery"):
            self._courier_reports(state)
        self._wait_for("OUT_FOR_DELIVERY")
        return "OUT_FOR_DELIVERY"

    def _wait_for(self, state: str) -> None:
        """Wait for the shipment's state; a carrier whose report found nobody sends the whole list again after a while."""
        pushed = time.monotonic()

        def there() -> bool:
            nonlocal pushed
            if time.monotonic() - pushed > 10:
                pushed = time.monotonic()
                again = {"waybill": self.facts["waybill"], "state": "updateall"}
                self.partner.call("POST", "/kuaidi100/advance", json=again)
            return bool(self._shipment()["state"] == state)

        wait_until(f"the shipment is {state}", there, seconds=max(30, self.patience))

    def _courier_reports(self, state: str, **more: str) -> None:
        """A courier's step, at the time that the story's clock shows."""
        shifted = datetime.now(SHANGHAI) + timedelta(seconds=float(self.stack.clock_shift.read_text()))
        self.facts["courier_at"] = at = max(shifted, self.facts.get("courier_at", shifted) + timedelta(seconds=1))
        body = {"waybill": self.facts["waybill"], "state": state, "at": at.strftime("%Y-%m-%d %H:%M:%S"), **more}
        self.partner.call("POST", "/kuaidi100/advance", json=body)

    def sign_for(self) -> str:
        """The code from the short message, the card in sight, the signature."""
        code = wait_until("the delivery code arrives", self._delivery_code, seconds=max(20, self.patience))
        self._courier_reports("signed", delivery_code=code)
        self._wait_for("DELIVERED")
        case = self.web.call("GET", f"/api/v1/cases/{self.facts['case']}", token=self.tokens["me"])
        if case["state"] != "DELIVERED":
            raise StoryBroken(f"the case is {case['state']}")
        return f"{case['state_label']} {case['delivered_at']}"

    def _delivery_code(self) -> str | None:
        wanted = {"persona": BUYER, "since": self.facts["sent_before"]}
        messages = self.partner.call("GET", "/outbox.json", params=wanted)["messages"]
        return next((message["code"] for message in messages if message.get("code")), None)

    def read_inbox(self) -> str:
        """A message for each step, and short messages for the important ones."""
        inbox = self.web.call("GET", "/api/v1/inbox", token=self.tokens["me"], params={"limit": 100})["items"]
        messages = self.partner.call("GET", "/outbox.json", params={"persona": BUYER})["messages"]
        return f"{len(inbox)} in the inbox, {len(messages)} sent to the phone"


def order_no(order_string: str) -> str:
    """Our order number inside the text the Alipay app is started with."""
    return str(json.loads(parse_qs(order_string)["biz_content"][0])["out_trade_no"])


def play(story: Story, *, before: Callable[[int], None] = lambda _number: None) -> None:
    """Tell the whole story; `before(n)` runs before step n. Raises `StoryBroken`."""
    try:
        for number, (who, what, act) in enumerate(story.steps(), start=1):
            before(number)
            began = time.perf_counter()
            story.teller.tell(who, what, act(), began)
    finally:
        story.stack.clock_shift.write_text("0")
