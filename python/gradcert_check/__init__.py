"""A second checker of gradcert certificates, in Python with ball arithmetic (Arb).

It shares the description of the file format with the Rust programs and nothing else: every bound is written again
from the statements, and every number is an enclosure by Arb. ``python -m gradcert_check CERT DATA``.
"""

from .errors import BadInput, NotProved
from .verify import check_bytes

__all__ = ["BadInput", "NotProved", "check_bytes"]
__version__ = "0.1.0"
