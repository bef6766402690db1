"""A paste bin behind an api endpoint: POST a text, GET it back, GET <id>/execute to run it as a Python script.

Every request begins here and is answered with the job that does the work. Containers of the account:
`pastebin` holds this application and is its address, `pastes` holds what was uploaded.
"""

import json
import os
import random
import re
import sys

PAGE = """<!DOCTYPE html>
<title>Paste bin</title>
<p>POST a text to this address; the answer says where it is.</p>
"""


def answer(status, content_type, body):
    sys.stdout.write(f"Status: {status}\nContent-Type: {content_type}\n\n{body}")


def run(name, args, devices, content_type=None, env=None):
    """Answers with a job: the server runs it, and its answer is the client's."""
    stdout = {"name": "stdout", "content_type": content_type or "message/cgi"}
    job = [
        {
            "name": name,
            "exec": {"path": "file://python:python", "args": args, "env": env or {}},
            "devices": [{"name": "python"}, *devices, stdout],
        }
    ]
    sys.stdout.write("Content-Type: application/json\nX-Zerovm-Execute: 1.0\n\n" + json.dumps(job))


def main():
    _, account, container, *rest = os.environ["PATH_INFO"].split("/")
    method = os.environ["REQUEST_METHOD"]
    path = "/".join(rest)
    application = {"name": "image", "path": os.environ["HTTP_X_ZEROVM_SOURCE"]}
    pastes = f"swift://{account}/pastes"
    if method == "POST" and path == "":
        new = "".join(random.SystemRandom().choices("abcdefghijkmnpqrstuvwxyz23456789", k=10))
        devices = [application, {"name": "stdin"}, {"name": "output", "path": f"{pastes}/{new}"}]
        url = f"http://{os.environ['HTTP_HOST']}/api/{account}/{container}/{new}"
        return run("upload", "upload.py", devices, env={"URL": url})
    if method not in ("GET", "HEAD"):
        return answer("405 Method Not Allowed", "text/plain", "POST or GET\n")
    if path == "":
        return answer("200 OK", "text/html", PAGE)
    wanted = re.fullmatch("([a-z0-9]+)(/execute)?", path)
    if not wanted:
        return answer("404 Not Found", "text/plain", f"No paste {path}\n")
    paste = f"{pastes}/{wanted[1]}"
    if wanted[2]:
        return run("execute", "/dev/script", [{"name": "script", "path": paste}], "text/plain")
    return run("fetch", "fetch.py", [application, {"name": "stdin", "path": paste}], "text/plain")


main()
