import keras
from tensorflow.tsl.profiler.protobuf import xplane_pb2

import keras_asymbp
from benchmarks.speed import machine_share, workloads


def test_the_operations_of_the_mnist_network_counted_by_hand():
    forward = (
        24 * 24 * (5 * 5 * 1 * 20)
        + 8 * 8 * (5 * 5 * 20 * 50)
        + 4 * 4 * 50 * 500
        + 500 * 10
    )
    first = 24 * 24 * (5 * 5 * 1 * 20)
    expected = 2 * 100 * (3 * forward - first)
    for model in (workloads.stock("mnist"), workloads.asymmetric("mnist", "uSF")):
        assert machine_share.operations(model, 100) == expected == 1_318_200_000


def test_strides_and_batch_count():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras_asymbp.AsymConv2D(3, 2, strides=2),  # 4 x 4 positions of 24 weights
            keras.layers.Flatten(),
            keras_asymbp.AsymDense(5),
        ]
    )
    first, second = 4 * 4 * 24, 4 * 4 * 3 * 5
    assert machine_share.operations(model, 7) == 2 * 7 * (2 * first + 3 * second)


def test_zeros_around_an_image_are_no_work():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same")]
    )
    # Of 4 positions the outer two meet 2 rows of the kernel each, the inner two 3.
    assert machine_share.operations(model, 1) == 2 * 2 * (2 + 3 + 3 + 2) ** 2


def test_operations_are_told_from_whatever_else_is_in_a_profile():
    space = xplane_pb2.XSpace()
    plane = space.planes.add()
    line = plane.lines.add()
    names = {
        "while/body/cifar/conv2d/convolution:_MklNativeConv2D": 3,
        "Relu_1:Relu": 4,
        "ExecutorState::Process": 50,
        "EagerLocalExecute: Range": 60,
        "MakeIterator": 70,
    }
    for number, (name, milliseconds) in enumerate(names.items()):
        plane.event_metadata[number].name = name
        for _ in range(2):
            line.events.add(metadata_id=number, duration_ps=milliseconds * 10**9)
    seconds = machine_share.by_operation(space.SerializeToString())
    assert seconds == {"Conv2D": 0.006, "Relu": 0.008}
