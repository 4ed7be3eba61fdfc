import numpy as np

from affetti.core.recording.layout import FRAME_ROW
from affetti.core.recording.rows import RowBuffer


def test_rows_that_are_packed_on_the_way_are_the_rows_that_came() -> None:
    plain, packed = RowBuffer(FRAME_ROW), RowBuffer(FRAME_ROW)
    for i in range(5000):
        row = (i, i * 1000, i / 1000, i + 7, 3 * i, 1)
        plain.append(*row)
        packed.append(*row)
        if i % 333 < 2:  # twice in a row: nothing is left to pack then
            packed.pack()
            packed.pack()
    assert len(plain.array()) == 5000
    assert np.array_equal(packed.array(), plain.array())
    assert packed.array()["offset"][4321] == 3 * 4321
