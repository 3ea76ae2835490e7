"""(T16e): orders of the curvature of a network with two layers."""

from flint import arb

from . import centre as network
from . import linear
from .errors import BadInput, require
from .linear import rows_of


def kap(k):
    return arb(k).sqrt() * (arb(k - 1) / k) ** (arb(k - 1) / 2)


class TwoLayers:
    def __init__(self, centre, kernel):
        setting = centre.setting
        if setting.layers != 2 or setting.outputs != 1:
            raise BadInput("curvature.orders_by: two-layers is about two layers and one output")
        self.centre, self.kernel, self.f = centre, kernel, setting.activation
        self.z = rows_of(centre.passes["z"][1])
        self.a = [arb(float(x)) for x in setting.arrays[2][0]]
        self.dw = arb(setting.d_weights[2])
        self.gram = centre.inputs_gram
        self._slopes, self._powers, self._large = {}, {}, {}
        n, d, width = len(self.z), setting.widths[0], setting.widths[1]
        self.by_units = 20 * n**3 * width <= 4 * 10**11
        self.single_units = n**2 * (d + 1) * width <= 4 * 10**11

    def slopes(self, k):
        if k not in self._slopes:
            self._slopes[k] = [[self.f.derivative(k, t) for t in row] for row in self.z]
        return self._slopes[k]

    def power(self, k):
        if k not in self._powers:
            self._powers[k] = [[x**k for x in row] for row in self.gram]
        return self._powers[k]

    def _size(self, rows, k):
        """sqrt lmax of (rows rows^T) o G^(k), by the kernel."""
        product = linear.gram(linear.from_rows(rows))
        together = [[x * y for x, y in zip(p, q)] for p, q in zip(rows_of(product), self.power(k))]
        return linear.root(self.kernel.largest(together))

    def b(self, k):
        return self._size([[a * x for a, x in zip(self.a, row)] for row in self.slopes(k)], k)

    def c(self, k):
        return self._size(self.slopes(k - 1), k - 1) * self.dw

    def unit(self, order, power, j):
        key = (order, power, j)
        if key not in self._large:
            self._large[key] = self._size([[row[j]] for row in self.slopes(order)], power)
        return self._large[key]

    def together(self, k):
        """All units at once."""
        b = self.b(k)
        if k > 2:
            return b + kap(k) * self.c(k)
        return (b + linear.root(b**2 + 4 * self._small_c() ** 2)) / 2

    def _small_c(self):
        if self.single_units:
            return self.dw * network.max_of(self.unit(1, 1, j) for j in range(len(self.a)))
        bound = self.c(2)
        if all(a != 0 for a in self.a):
            bound = bound.min(network.max_of(self.dw / abs(a) for a in self.a))
        return bound

    def one_by_one(self, k):
        """Unit by unit."""
        values = []
        for j, a in enumerate(self.a):
            b, c = abs(a) * self.unit(k, k, j), self.dw * self.unit(k - 1, k - 1, j)
            values.append(b + kap(k) * c if k > 2 else (b + linear.root(b**2 + 4 * c**2)) / 2)
        return network.max_of(values)

    def last(self, k, smin, radius):
        """The order on the whole ball, by suprema over the line."""
        x = network.max_of(self.centre.x_norm)
        largest = network.max_of(abs(a) for a in self.a) + self.dw * radius
        first = self.f.line_supremum(k) * largest * x ** (k - 1)
        second = kap(k) * self.dw * self.f.line_supremum(k - 1) * x ** (k - 2)
        return linear.norm(self.gram, self.centre.weights) / smin * (first + second)


def check(centre, kernel, curvature, smin):
    orders = [arb(x) for x in curvature["orders"]]
    top = len(orders) + 1
    if not 3 <= top <= 6:
        raise BadInput("curvature.orders: two to five orders are needed")
    forms = TwoLayers(centre, kernel)
    last = forms.last(top, smin, arb(curvature["radius"]))
    require(orders[-1] >= last, "curvature.orders", f"the last order is proved to be {float(last):.6e}")
    for k in range(2, top):
        claimed = orders[k - 2]
        if claimed >= forms.together(k) or forms.by_units and claimed >= forms.one_by_one(k):
            continue
        require(False, "curvature.orders", f"order {k} is not proved")
