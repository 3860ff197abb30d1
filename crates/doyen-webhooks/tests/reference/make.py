#!/usr/bin/env python3
"""Writes vectors.json with the reference library: `pip install standardwebhooks==1.1.0`.

Each vector was signed by the library and is verified by it where it is recent.
"""
import base64, hashlib, json, pathlib
from datetime import datetime, timezone
from standardwebhooks.webhooks import Webhook

BODIES = ["", "{}", '{"test": 2432232314}', '{"type":"ticket.created","data":{"subject":"a.b.c"}}',
          '{"text": "Gr\u00fc\u00dfe \U0001f980"}', "not json\r\n", "x" * 5000]
vectors = []
for number, body in enumerate(BODIES):
    for length in (24, 32, 64):
        key = hashlib.shake_256(f"{number}-{length}".encode()).digest(length)
        secret = "whsec_" + base64.b64encode(key).decode()
        at = datetime.fromtimestamp(1_700_000_000 + number, tz=timezone.utc)
        signature = Webhook(secret).sign(f"msg_{number}", at, body)
        vectors.append({"secret": secret, "id": f"msg_{number}", "timestamp": int(at.timestamp()),
                        "body": body, "signature": signature})
now = datetime.now(tz=timezone.utc)
for vector in vectors:
    hook = Webhook(vector["secret"])
    headers = {"webhook-id": vector["id"], "webhook-timestamp": str(int(now.timestamp())),
               "webhook-signature": "v1,AAAA " + hook.sign(vector["id"], now, vector["body"])}
    try:
        hook.verify(vector["body"], headers)
    except ValueError:
        pass  # It verifies, then parses the body as JSON.
text = json.dumps(vectors, indent=1, ensure_ascii=True)
pathlib.Path(__file__).with_name("vectors.json").write_text(text + "\n")
