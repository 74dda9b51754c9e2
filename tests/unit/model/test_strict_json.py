import pytest

from sbir_gate.model.strict_json import parse_json


def test_plain_json_is_read():
    assert parse_json('{"a": [1, 2.5, "\\ud83d\\ude00", null, true]}') == {
        "a": [1, 2.5, "\U0001f600", None, True]
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is there twice"),
        ('[{"x": {"k": 1, "k": 1}}]', "the key 'k' is there twice"),
        ('["\\ud800"]', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "Exceeds the limit"),
        ("{", "line 1 column 2"),
    ],
)
def test_what_means_more_than_one_thing_or_nothing_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        parse_json(text)


def test_many_keys_of_which_the_last_is_there_twice_take_no_time():
    keys = ",".join(f'"{number}":0' for number in range(200_000))
    with pytest.raises(ValueError, match="'199999' is there twice"):
        parse_json("{" + keys + ',"199999":1}')
