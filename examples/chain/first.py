"""Answers with a second job, and passes on what it found out, in that job's environment."""

import json
import os
import sys

job = [
    {
        "name": "second",
        "exec": {
            "path": "file://python:python",
            "args": "second.py",
            "env": {"GREETING": "Hello", "BROWSER": os.environ.get("HTTP_USER_AGENT", "")},
        },
        "devices": [
            {"name": "python"},
            {"name": "image", "path": os.environ["HTTP_X_ZEROVM_SOURCE"]},
            {"name": "stdout", "content_type": "text/plain"},
        ],
    }
]
head = "HTTP/1.1 200 OK\nContent-Type: application/json\nX-Zerovm-Execute: 1.0\n\n"
sys.stdout.write(head + json.dumps(job))
