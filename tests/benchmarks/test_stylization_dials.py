import json

from stylization_dials import known_fixed


def test_what_was_measured_in_the_same_way_is_kept(tmp_path):
    path = tmp_path / "fixed.json"
    described = {"model": "abc", "photographs": 24, "steps": 300}
    assert known_fixed(path, described) == {}
    rows = {"dots": {"totals": {}}}
    path.write_text(
        json.dumps(
            {
                "model": "abc",
                "photographs": 24,
                "against_fixed": {"steps": 300, "styles": rows},
            }
        )
    )
    assert known_fixed(path, described) == rows
    assert known_fixed(path, {**described, "steps": 900}) == {}
    assert known_fixed(path, {**described, "model": "abd"}) == {}
