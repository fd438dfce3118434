"""What delivery can refuse."""

from core.errors import Problem


class NotDeliverable(Problem):
    """The item's result is not sent by courier, or the case has none to send (CR-1)."""

    code, status = "NOT_DELIVERABLE", 409
    zh, en = (
        "该事项的办理结果不能快递，请到窗口领取",
        "The result of this item can't be sent; please collect it at the counter",
    )


class AlreadyRequested(Problem):
    """This case already has a delivery under way."""

    code, status = "DELIVERY_ALREADY_REQUESTED", 409
    zh, en = "该办件已申请快递", "Delivery was already requested for this case"


class AddressNotServed(Problem):
    """The carrier doesn't go there (CR-3)."""

    code, status = "ADDRESS_NOT_SERVED", 422
    zh, en = (
        "该地址暂不支持快递，请更换地址或到窗口领取",
        "This address isn't served; choose another or collect at the counter",
    )


class AlreadyHandedOver(Problem):
    """The parcel is with the carrier; nothing can be changed any more (CR-1)."""

    code, status = "DELIVERY_ALREADY_HANDED_OVER", 409
    zh, en = "快件已交给快递公司，不能再修改", "The parcel is with the carrier and can't be changed"


class SamePersonPacked(Problem):
    """Two people sign a pack list (CR-6)."""

    code, status = "SECOND_PERSON_NEEDED", 409
    zh, en = "装件与复核须由两人完成", "A second person must check the pack"


class DeliveryCodeWrong(Problem):
    """The code the recipient said is not the one that was sent, or its tries are used up (CR-7)."""

    code, status = "DELIVERY_CODE_WRONG", 409
    zh, en = "签收码错误或已失效", "The delivery code is wrong or no longer valid"
