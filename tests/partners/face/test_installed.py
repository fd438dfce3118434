"""face_recognition works as installed: without a compiler, on the prebuilt dlib (docs/decisions/0003)."""

from pathlib import Path

import numpy
import pytest

FACE = Path(__file__).resolve().parents[2] / "data" / "face.jpg"


# face_recognition_models finds its files by pkg_resources, which setuptools calls deprecated.
@pytest.mark.filterwarnings("ignore:pkg_resources is deprecated", "ignore:Deprecated call to `pkg_resources")
def test_one_face_is_found_and_encoded() -> None:
    import face_recognition

    picture = face_recognition.load_image_file(str(FACE))
    places = face_recognition.face_locations(picture)
    assert len(places) == 1
    (encoding,) = face_recognition.face_encodings(picture, places)
    assert encoding.shape == (128,)
    assert 0.5 < float(numpy.linalg.norm(encoding)) < 2.5
    assert face_recognition.face_distance([encoding], encoding)[0] == 0
