import pytest

from keras_asymbp import models


@pytest.mark.parametrize(
    ("function", "depth"), [(models.plain, 3), (models.plain, 2), (models.residual, 6)]
)
def test_depth_is_the_number_of_layers_with_weights(function, depth):
    model = function(depth=depth)
    assert len([x for x in model.layers if hasattr(x, "feedback")]) == depth
    assert model.name == f"{function.__name__}-{depth}"


@pytest.mark.parametrize(
    ("function", "depth"),
    [
        (models.plain, 1),
        (models.plain, 2.5),
        (models.plain, 4.0),
        (models.plain, "10"),
        (models.residual, 2),
        (models.residual, 5),
    ],
)
def test_other_depths_are_refused(function, depth):
    with pytest.raises(ValueError, match=rf"`depth` .*Received: depth={depth!r}"):
        function(depth=depth)
