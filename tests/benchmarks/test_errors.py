from keras_asymbp.benchmarks.errors import UsageError


def test_a_line_of_an_error_is_one_printable_line():
    error = UsageError("a\n b \x1b[2J", "\udcff\u202e")
    assert error.args == ("a b \\x1b[2J", "\\udcff\\u202e")
    assert str(error) == "a b \\x1b[2J\n\\udcff\\u202e"
