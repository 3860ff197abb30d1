"""The package that `doyen client python` generates, against a running helpdesk.

    BASE_URL=http://127.0.0.1:8000 PYTHONPATH=folder-of-the-package python client.py

Exits with 1 and says which step failed.
"""

import os

from helpdesk_client import AuthenticatedClient, Client
from helpdesk_client.api.auth import auth_login
from helpdesk_client.api.tickets import tickets_create, tickets_list, tickets_show
from helpdesk_client.models import Credentials, NewTicket, TicketsShowResponse404, Token

BASE = os.environ.get("BASE_URL", "http://127.0.0.1:8000")

login = auth_login.sync(
    client=Client(base_url=BASE),
    body=Credentials(email="customer@example.com", password="correct horse battery staple"),
)
assert isinstance(login, Token), login
print("ok logs in")

client = AuthenticatedClient(base_url=BASE, token=login.access_token)
created = tickets_create.sync(client=client, body=NewTicket(subject="generated", body="a client"))
print("ok creates a ticket")

found = tickets_show.sync(created.id, client=client)
assert found.subject == "generated", found
page = tickets_list.sync(client=client, limit=1)
assert len(page.items) == 1, page
print("ok reads it")

missing = tickets_show.sync("tkt_00000000000000000000000000", client=client)
assert isinstance(missing, TicketsShowResponse404) and missing.code == "ticket_not_found", missing
print("ok gets a typed problem")
