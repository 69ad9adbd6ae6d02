from keras_asymbp.benchmarks.errors import UsageError, unknown


def test_a_line_of_an_error_is_one_printable_line():
    error = UsageError("a\n b \x1b[2J", "\udcff\u202e")
    assert error.args == ("a b \\x1b[2J", "\\udcff\\u202e")
    assert str(error) == "a b \\x1b[2J\n\\udcff\\u202e"


def test_an_unknown_name_has_near_names_and_a_list_of_some_length():
    assert str(unknown("preset", "quik", ("smoke", "quick"))) == (
        "unknown preset 'quik': did you mean 'quick'? Choose from smoke, quick"
    )
    assert str(unknown("network", "x", map(str, range(100)), "a path")) == (
        "unknown network 'x': 'keras-asymbp run --list' shows all 100; or give a path"
    )
    assert str(unknown("network", "Net1", [f"net-{n}" for n in range(20)])) == (
        "unknown network 'Net1': did you mean 'net-1'? "
        "'keras-asymbp run --list' shows all 20"
    )
