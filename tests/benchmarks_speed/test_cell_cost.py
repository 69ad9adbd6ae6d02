import pytest


@pytest.mark.slow
@pytest.mark.parametrize("more", [100, 500])
def test_an_epoch_of_another_graph_is_refused(run_program, more):
    # 6 and 10 steps, where the shortest epoch has 5: one execution has as many.
    done = run_program("cell_cost", "--networks=mnist", f"--more={more}", code=2)
    line = f"error: --more={more} gives the longer epoch another graph: try 1000\n"
    assert line in done.stderr
