"""What the stand-in's answers follow from, so that tests can compute them."""

import sys

from support import ORIGIN_FOLDER

sys.path.insert(0, str(ORIGIN_FOLDER))

from echo import FORMS  # noqa: E402, F401
from odd_answers import GARBAGE, unique_body  # noqa: E402, F401
