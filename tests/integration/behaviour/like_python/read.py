"""Which texts Python's `cryptography` reads as tokens under a key.

    read.py KEY < one text a line, as a JSON string

Prints who reads, and then a digit for each text: 1 if it was read.
"""

import json
import platform
import sys

import cryptography
from cryptography.fernet import Fernet, InvalidToken

fernet = Fernet(sys.argv[1])


def is_read(text):
    try:
        fernet.decrypt(text.encode())
    except InvalidToken:
        return "0"
    return "1"


verdicts = "".join(is_read(json.loads(line)) for line in sys.stdin)
print(f"cryptography {cryptography.__version__}, Python {platform.python_version()}")
print(verdicts)
