"""What the catalogue can refuse."""

from core.errors import Problem


class ItemNotInForce(Problem):
    """The item exists but no version of it is in force on that day; `went_to` names its successors, if it has any."""

    code, status = "ITEM_NOT_IN_FORCE", 404
    zh, en = "该事项当前不在有效期内{why_zh}", "This service item is not in force{why_en}"


class PreconditionRequired(Problem):
    """A section of a draft is written with the `If-Match` of the draft as it was read, and it was missing."""

    code, status = "PRECONDITION_REQUIRED", 428
    zh, en = "缺少 If-Match 请求头，请先读取最新内容", "The If-Match header is missing; read the draft first"


class PreconditionFailed(Problem):
    """Somebody changed the draft since it was read; nothing was written over. `edit` is its number now."""

    code, status = "PRECONDITION_FAILED", 412
    zh, en = "内容已被他人修改，请刷新后再改", "Somebody changed this since you read it; please refresh"


class AuthorCannotPublish(Problem):
    """Who worked on a draft can't publish it: another item manager of the department must."""

    code, status = "AUTHOR_CANNOT_PUBLISH", 409
    zh, en = "须由参与起草以外的事项管理员发布", "An item manager who didn't work on the draft must publish it"


class CatalogueFaulty(Problem):
    """The linter objects to the version: `faults` say where, what and how to mend it."""

    code, status = "CATALOGUE_FAULTY", 422
    zh, en = "事项内容有 {count} 处问题，请修改后再提交", "The item has {count} faults; please mend them first"


class BaseChanged(Problem):
    """Another version was published since the draft was opened; `in_force` is it. Look at the difference, then take it over."""

    code, status = "BASE_CHANGED", 409
    zh, en = (
        "起草期间该事项已有新版本，请核对差异后再继续",
        "A newer version was published meanwhile; compare, then go on",
    )


class ImportRunning(Problem):
    """Another import of the catalogue is at work; one at a time."""

    code, status = "IMPORT_RUNNING", 409
    zh, en = (
        "另一项目录导入正在进行，请稍后再试",
        "Another import of the catalogue is running; try again when it is done",
    )
