"""What an upload can be refused for."""

from __future__ import annotations

from enum import StrEnum

from core.errors import Problem


class Fault(StrEnum):
    """Why a file is refused; the answer's `reason`."""

    EMPTY = "EMPTY"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    HEIC = "HEIC"
    OFFICE = "OFFICE"
    ENCRYPTED = "ENCRYPTED"
    DAMAGED = "DAMAGED"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"


_TEXTS = {
    Fault.EMPTY: ("文件是空的，请重新选择文件", "The file is empty; please choose it again"),
    Fault.UNKNOWN_TYPE: (
        "只能上传 JPG、PNG、PDF 或 OFD 文件",
        "Only JPG, PNG, PDF and OFD files can be uploaded",
    ),
    Fault.HEIC: (
        "不支持 HEIC 照片，请转换为 JPG 后再上传（苹果手机：设置 → 相机 → 格式 → 兼容性最佳）",
        "HEIC photos are not supported; please convert to JPG (iPhone: Settings, Camera, Formats, Most Compatible)",
    ),
    Fault.OFFICE: (
        "不支持 Word、Excel 等文件，请转换为 PDF 后再上传",
        "Office files are not supported; please convert to PDF",
    ),
    Fault.ENCRYPTED: ("文件设有密码，请去除密码后再上传", "The file has a password; please remove it first"),
    Fault.DAMAGED: (
        "文件不完整或已损坏，请重新生成后再上传",
        "The file is incomplete or damaged; please make it again",
    ),
    Fault.TOO_MANY_PIXELS: (
        "图片尺寸过大，请缩小后再上传",
        "The picture has too many pixels; please make it smaller",
    ),
}


class MaterialTypeInvalid(Problem):
    """The file is not one that can be taken; `reason` in the answer is a `Fault` (PR-13)."""

    code, status = "MATERIAL_TYPE_INVALID", 422
    zh, en = "{reason_zh}", "{reason_en}"

    def __init__(self, fault: Fault) -> None:
        zh, en = _TEXTS[fault]
        super().__init__(fields={"file": [zh]}, extra={"reason": fault.value}, reason_zh=zh, reason_en=en)
        self.fault = fault
