# -*- coding: utf-8 -*-
# Puts what is ours into what stands in a file, or takes it out again, and prints the result. Python 2.7 and 3.
#   merge.py put|take FILE OURS BEFORE json|list WORD...
# OURS is our part; BEFORE is our part as it was put in last time, and may be missing, as FILE may.
# json: WORDs are the keys that may not have another value than ours, and A+B are keys that only make sense together: where
# somebody has one of them, all of them are theirs. list: WORDs are OURS=THEIRS, who cannot be together.
# Exit code 3: the two cannot go together, and stderr says why.
from __future__ import print_function
import io
import json
import os
import sys
from collections import OrderedDict


def read(path):
    if not os.path.exists(path):
        return None
    with io.open(path, encoding="utf-8") as file:
        return file.read()


def refuse(why):
    sys.stderr.write(why + "\n")
    sys.exit(3)


def as_object(text, path):
    if text is None or text.strip() == "":
        return OrderedDict()
    try:
        found = json.loads(text, object_pairs_hook=OrderedDict)
    except ValueError as error:
        refuse("%s is no JSON: %s" % (path, error))
    if not isinstance(found, dict):
        refuse("%s is no JSON object" % path)
    return found


def put_object(theirs, ours, before, must):
    for group in [word.split("+") for word in must if "+" in word]:
        if any(key in theirs and theirs[key] not in (before.get(key), ours.get(key)) for key in group):
            ours = OrderedDict((key, value) for key, value in ours.items() if key not in group)
    for key, value in ours.items():
        if key not in theirs or theirs[key] == before.get(key, theirs):
            theirs[key] = value
        elif theirs[key] != value and key in must:
            refuse("%s is %s, and has to be %s" % (key, json.dumps(theirs[key]), json.dumps(value)))
    return drop(theirs, before, ours)


def drop(theirs, before, ours):
    for key, value in before.items():
        if key not in ours and theirs.get(key) == value:
            del theirs[key]
    return theirs


def as_list(text):
    return [word.strip() for word in (text or "").split(",") if word.strip() != ""]


def put_list(theirs, ours, before, instead):
    gone = [instead[word] for word in ours if word in instead]
    gone += [word for word in before if word not in ours]
    kept = [word for word in theirs if word not in gone]
    return kept + [word for word in ours if word not in kept]


def main():
    way, path, ours_path, before_path, kind = sys.argv[1:6]
    words = sys.argv[6:]
    text, ours, before = read(path), read(ours_path), read(before_path)
    if kind == "json":
        theirs = as_object(text, path)
        if way == "put":
            known = json.dumps(theirs)
            merged = put_object(theirs, as_object(ours, ours_path), as_object(before, before_path), words)
            # What is right already keeps its own form.
            if text is not None and text.strip() != "" and json.dumps(merged) == known:
                return text
        else:
            merged = drop(theirs, as_object(ours, ours_path), {})
        return (json.dumps(merged, indent=2, separators=(",", ": ")) + "\n") if merged else ""
    instead = dict(word.split("=", 1) for word in words)
    if way == "put":
        merged = put_list(as_list(text), as_list(ours), as_list(before), instead)
    else:
        mine = as_list(ours)
        merged = [word for word in as_list(text) if word not in mine]
    return ",".join(merged) + "\n" if merged else ""


result = main()
(sys.stdout.buffer if hasattr(sys.stdout, "buffer") else sys.stdout).write(result.encode("utf-8"))
