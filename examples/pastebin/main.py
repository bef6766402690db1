"""A paste bin behind an api endpoint: POST a text, GET it back, GET <id>/execute to run it as a Python script, and
GET ?search=<text> to find all pastes that hold a text.

Every request begins here and is answered with the job that does the work. Containers of the account:
`pastebin` holds this application and is its address, `pastes` holds what was uploaded.
"""

import json
import os
import random
import re
import sys
from urllib.parse import parse_qs

PAGE = """<!DOCTYPE html>
<title>Paste bin</title>
<p>POST a text to this address; the answer says where it is.</p>
<form><input name="search"> <button>Search</button></form>
"""


def answer(status, content_type, body):
    sys.stdout.write(f"Status: {status}\nContent-Type: {content_type}\n\n{body}")


def node(name, args, devices, env=None, **more):
    program = {"path": "file://python:python", "args": args, "env": env or {}}
    return {"name": name, "exec": program, "devices": [{"name": "python"}, *devices], **more}


def run_job(*nodes):
    """Answers with a job: the server runs it, and its answer is the client's."""
    sys.stdout.write("Content-Type: application/json\nX-Zerovm-Execute: 1.0\n\n" + json.dumps(nodes))


def run(name, args, devices, content_type="message/cgi", env=None):
    run_job(node(name, args, [*devices, {"name": "stdout", "content_type": content_type}], env))


def search(text, application, pastes, url):
    """One node for every paste, which looks for the text; the last one gathers what they found."""
    found = {"name": "stdout", "content_type": "text/plain"}
    run_job(
        node("look", "look.py", [application, {"name": "stdin", "path": f"{pastes}/*"}], {"TEXT": text}, connect=["gather"]),
        node("gather", "gather.py", [application, found], {"URL": url}),
    )


def main():
    _, account, container, *rest = os.environ["PATH_INFO"].split("/")
    method = os.environ["REQUEST_METHOD"]
    path = "/".join(rest)
    application = {"name": "image", "path": os.environ["HTTP_X_ZEROVM_SOURCE"]}
    pastes = f"swift://{account}/pastes"
    url = f"http://{os.environ['HTTP_HOST']}/api/{account}/{container}"
    if method == "POST" and path == "":
        new = "".join(random.SystemRandom().choices("abcdefghijkmnpqrstuvwxyz23456789", k=10))
        devices = [application, {"name": "stdin"}, {"name": "output", "path": f"{pastes}/{new}"}]
        return run("upload", "upload.py", devices, env={"URL": f"{url}/{new}"})
    if method not in ("GET", "HEAD"):
        return answer("405 Method Not Allowed", "text/plain", "POST or GET\n")
    if path == "":
        text = parse_qs(os.environ.get("QUERY_STRING", "")).get("search")
        return search(text[0], application, pastes, url) if text else answer("200 OK", "text/html", PAGE)
    wanted = re.fullmatch("([a-z0-9]+)(/execute)?", path)
    if not wanted:
        return answer("404 Not Found", "text/plain", f"No paste {path}\n")
    paste = f"{pastes}/{wanted[1]}"
    if wanted[2]:
        return run("execute", "/dev/script", [{"name": "script", "path": paste}], "text/plain")
    return run("fetch", "fetch.py", [application, {"name": "stdin", "path": paste}], "text/plain")


main()
