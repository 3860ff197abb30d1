// The client that `doyen client typescript` generates, against a running helpdesk. The compiler
// checks the types before this runs.
//
//   BASE_URL=http://127.0.0.1:8000 node client.js
//
// Exits with 1 and says which step failed.

import assert from "node:assert/strict";

import { client } from "./client-typescript/client.js";

const baseUrl = process.env.BASE_URL ?? "http://127.0.0.1:8000";
const anonymous = client({ baseUrl });

const login = await anonymous.POST("/v1/auth/login", {
  body: { email: "customer@example.com", password: "correct horse battery staple" },
});
// A client without cookies gets a token, and the types know both responses.
assert.ok(login.data && "access_token" in login.data, JSON.stringify(login.error));
console.log("ok logs in");

const api = client({ baseUrl, headers: { Authorization: `Bearer ${login.data.access_token}` } });
const created = await api.POST("/v1/tickets", { body: { subject: "generated", body: "a client" } });
assert.equal(created.response.status, 201, JSON.stringify(created.error));
assert.ok(created.data);
// The types know the fields: this line would not compile with a wrong name.
const id: string = created.data.id;
console.log("ok creates a ticket");

const found = await api.GET("/v1/tickets/{id}", { params: { path: { id } } });
assert.equal(found.data?.subject, "generated");
const page = await api.GET("/v1/tickets", { params: { query: { limit: 1 } } });
assert.equal(page.data?.items.length, 1);
console.log("ok reads it");

// @ts-expect-error: the document says that a subject is required.
const refused = await api.POST("/v1/tickets", { body: { body: "no subject" } });
assert.equal(refused.response.status, 422);
assert.equal(refused.error?.code, "invalid");
console.log("ok gets a typed problem");
