"""Positions are on the lists that a circle around them reads, wherever they are."""

from hypothesis import example, given
from hypothesis import strategies as st

from resources import json_codec
from resources.search_param import compile_param
from resources.search_param.matching import Subject, fits
from resources.search_param.near import distance

LATITUDES = st.floats(-90, 90).map(lambda n: round(n, 6))
LONGITUDES = st.floats(-180, 180).map(lambda n: round(n, 6))


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES, st.floats(1.0001, 1.5))
@example(89.99, 0, 89.99, 180, 1.01)
@example(0, 180, 0, -180, 1.01)
@example(10, 179.999, 10, -179.999, 1.01)
def test_whatever_lies_within_the_distance_is_found(latitude, longitude, up, along, more):
    position = {"latitude": up, "longitude": along}
    subject = Subject("Location", "1", 0, json_codec.encode({"resourceType": "Location", "position": position}))
    metres = distance((latitude, longitude), (up, along))
    far = compile_param("Location", "near", "", f"{latitude:f}|{longitude:f}|{metres * more + 1:f}|m")
    assert fits(far, subject)
    if metres > 2:
        close = compile_param("Location", "near", "", f"{latitude:f}|{longitude:f}|{metres / more - 1:f}|m")
        assert not fits(close, subject)


def test_distances_of_known_places():
    assert round(distance((52.5200, 13.4050), (48.1374, 11.5755)) / 1000) == 504
    assert round(distance((0, 0), (0, 180)) / 1000) == 20015
