"""ECDH on P-256 (SP 800-56A 5.7.1.2): the secret that device and bridge share."""

from scanlatch.prove.p256 import P, add_affine, double, inverse, scalar

_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def shared_x(d, point):
    """x of d * point, 32 bytes. Raises ValueError where `point` (65 bytes, uncompressed) is not on the curve.

    By double and add, four times the work of a signature: about half a second on the chip.
    """
    k = scalar(d)
    x, y = _on_curve(point)
    mask = 1 << 255
    while not k & mask:
        mask >>= 1
    result = (x, y, 1)
    while mask > 1:
        mask >>= 1
        result = double(*result)
        if k & mask:  # never the point itself nor its opposite: the multiple is even, and below N - 1
            result = add_affine(*result, x, y)
    z = inverse(result[2], P)
    return (result[0] * (z * z % P) % P).to_bytes(32, "big")


def _on_curve(point):
    if len(point) != 65 or point[0] != 4:
        raise ValueError("not an uncompressed point")
    x = int.from_bytes(point[1:33], "big")
    y = int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - (x * x - 3) * x - _B) % P:
        raise ValueError("point is not on the curve")
    return x, y
