import pathlib
import sys

HERE = pathlib.Path(__file__).parent
for path in (HERE, HERE.parents[1]):
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes")
