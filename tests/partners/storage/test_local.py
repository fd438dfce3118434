"""Files in a folder."""

from pathlib import Path

import pytest

from core.ports import PartnerUnavailable
from partners.storage import store_for
from partners.storage.local import LocalFolder


def test_put_get_replace_delete(tmp_path: Path) -> None:
    store = store_for((tmp_path / "with space").as_uri())
    store.put("ab/cd/abcd", b"one")
    store.put("ab/cd/abcd", b"two")
    assert store.get("ab/cd/abcd") == b"two"
    assert [path.name for path in (tmp_path / "with space").rglob("*") if path.is_file()] == ["abcd"]
    store.delete("ab/cd/abcd")
    store.delete("ab/cd/abcd")
    with pytest.raises(KeyError):
        store.get("ab/cd/abcd")


@pytest.mark.parametrize("key", ["../etc/passwd", "/etc/passwd", "ab/../cd", "AB", "", "ab//cd", "ab/cd\n"])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    store = LocalFolder(tmp_path)
    for act in (lambda: store.put(key, b"x"), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(ValueError, match="lower-case hex"):
            act()


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    LocalFolder(tmp_path / "files").put("ab/cd", b"x")
    assert (tmp_path / "files" / "ab" / "cd").stat().st_mode & 0o077 == 0
    assert (tmp_path / "files" / "ab").stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "ab").write_bytes(b"a file where a folder must be")
    store = LocalFolder(tmp_path)
    with pytest.raises(PartnerUnavailable):
        store.put("ab/cd", b"x")
    with pytest.raises(PartnerUnavailable):
        store.get("ab/cd")
    assert [path.name for path in tmp_path.iterdir()] == ["ab"]


@pytest.mark.parametrize("url", ["s3://bucket", "https://files.example", "file://host/files", "files", ""])
def test_only_folders_are_stores(url: str) -> None:
    with pytest.raises(ValueError, match="FILES_URL"):
        store_for(url)
