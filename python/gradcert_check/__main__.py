"""``python -m gradcert_check CERT DATA``: exit 0 valid, 1 invalid, 2 usage, 4 bad input."""

import argparse
import json
import os
import sys
import time

from . import data, verify
from .errors import BadInput, NotProved


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="gradcert_check", description=__doc__)
    parser.add_argument("certificate", metavar="CERT", help="the certificate")
    parser.add_argument("data", metavar="DATA", help=".npz (X, y), X.npy,y.npy, .csv or .tsv with header (also .gz)")
    parser.add_argument("--start", metavar="FILE", help="start parameters (default: beside the certificate)")
    parser.add_argument("--target", metavar="COL", help="target column of a table (default: the last)")
    parser.add_argument("--ignore", metavar="COL,..", default="", help="columns that are no features")
    parser.add_argument("--no-header", action="store_true", help="the first line of a table is a sample")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser.parse_args(argv)


def _bytes(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: {error}") from None


def _start(arguments):
    if arguments.start:
        return _bytes(arguments.start)
    beside = [os.path.splitext(arguments.certificate)[0] + ".start.safetensors"]
    # The name under which starts of widths are stored.
    beside.append(os.path.join(os.path.dirname(arguments.certificate), "start.safetensors"))
    found = [path for path in beside if os.path.exists(path)]
    return _bytes(found[0]) if found else None


def _check(arguments):
    raw = _bytes(arguments.certificate)
    ignore = [name for name in arguments.ignore.split(",") if name]
    samples = data.read(arguments.data, arguments.target, ignore, arguments.no_header)
    return verify.check_bytes(raw, samples, _start(arguments))


def main(argv=None):
    arguments = _arguments(argv)
    begin, report = time.perf_counter(), {"status": "valid", "problems": [], "field": None, "message": None}
    try:
        report["problems"] = _check(arguments)
        code = 0
    except NotProved as error:
        report.update(status="invalid", field=error.field, message=str(error))
        code = 1
    except BadInput as error:
        report.update(status="bad_input", message=str(error))
        code = 4
    except (MemoryError, RecursionError, OverflowError) as error:
        report.update(status="bad_input", message=f"too large: {type(error).__name__}")
        code = 4
    report["seconds"] = round(time.perf_counter() - begin, 3)
    if arguments.json:
        print(json.dumps(report))
    elif code:
        print(f"{report['status']}: {report['message']}", file=sys.stderr)
    else:
        print(f"valid: {', '.join(report['problems'])} ({report['seconds']} s)")
    return code


if __name__ == "__main__":
    sys.exit(main())
