// Resumable uploads of a running helpdesk with `tus-js-client`.
//
//   BASE_URL=http://127.0.0.1:8000 node uploads.mjs
//
// Exits with 1 and says which step failed.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../../tools/package.json", import.meta.url));
const tus = require("tus-js-client");

const base = new URL(process.env.BASE_URL ?? "http://127.0.0.1:8000");
const TIMEOUT = 60_000;
const MEBIBYTE = 1 << 20;

setTimeout(() => {
  console.error("no end");
  process.exit(1);
}, TIMEOUT).unref();

async function send(method, path, token, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return fetch(new URL(path, base), { method, headers, body: body && JSON.stringify(body) });
}

async function call(method, path, token, body) {
  const response = await send(method, path, token, body);
  const json = await response.json();
  assert.ok(response.ok, JSON.stringify(json));
  return json;
}

const credentials = { email: "customer@example.com", password: "correct horse battery staple" };
const token = (await call("POST", "/v1/auth/login", null, credentials)).access_token;
const ticket = await call("POST", "/v1/tickets", token, { subject: "logs", body: "see the file" });
const attachments = `/v1/tickets/${ticket.id}/attachments`;

const content = Buffer.alloc(3 * MEBIBYTE + 17, "resumable uploads of text\n");

/** Starts an upload; the promise ends with it. */
function upload(bytes, options) {
  let started;
  const done = new Promise((resolve, reject) => {
    started = new tus.Upload(bytes, {
      endpoint: new URL("/v1/uploads", base).href,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { filename: "log.txt", filetype: "text/plain" },
      retryDelays: [0, 50, 200],
      onError: reject,
      onSuccess: () => resolve(started),
      ...options,
    });
    started.start();
  });
  return { started, done };
}

const idOf = (one) => new URL(one.url).pathname.split("/").pop();

/** Attaches an upload, and compares its content. */
async function attach(one, expected) {
  const added = await call("POST", attachments, token, { upload: idOf(one), note: "by tus" });
  assert.equal(added.name, "log.txt");
  assert.equal(added.size, expected.length);
  const response = await send("GET", added._links.content.href, token);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(expected), "the content differs");
}

async function step(name, work) {
  try {
    await work();
    console.log(`ok ${name}`);
  } catch (error) {
    console.error(`failed: ${name}`);
    console.error(error);
    process.exit(1);
  }
}

await step("one request", async () => {
  await attach(await upload(content).done, content);
});

await step("chunks", async () => {
  await attach(await upload(content, { chunkSize: MEBIBYTE }).done, content);
});

await step("the first bytes with the creation", async () => {
  await attach(await upload(content, { uploadDataDuringCreation: true }).done, content);
});

await step("an aborted upload is resumed", async () => {
  const url = await new Promise((resolve, reject) => {
    const { started, done } = upload(content, {
      chunkSize: 512 << 10,
      onChunkComplete: (_, accepted) => {
        if (accepted < 1 * MEBIBYTE) return;
        const { url } = started;
        started.abort().then(() => resolve(url), reject);
      },
    });
    done.catch(reject);
  });
  let first = null;
  const resumed = upload(content, {
    uploadUrl: url,
    onProgress: (sent) => {
      first ??= sent;
    },
  });
  await attach(await resumed.done, content);
  assert.ok(first >= MEBIBYTE, `it began at ${first}`);
});

await step("an upload is terminated", async () => {
  const { started, done } = upload(content, { chunkSize: MEBIBYTE, onChunkComplete: () => {} });
  await done;
  await started.abort(true);
  const headers = { Authorization: `Bearer ${token}`, "Tus-Resumable": "1.0.0" };
  const gone = await fetch(started.url, { method: "HEAD", headers });
  assert.equal(gone.status, 404);
});

await step("a wrong file is refused at its first bytes", async () => {
  const metadata = { filename: "log.png", filetype: "image/png" };
  const { done } = upload(content, { metadata });
  const error = await done.then(
    () => assert.fail("it was accepted"),
    (error) => error,
  );
  assert.equal(error.originalResponse.getStatus(), 422);
  assert.equal(JSON.parse(error.originalResponse.getBody()).code, "file_type_mismatch");
});

await step("a file that is too large is refused before it is sent", async () => {
  const { done } = upload(Buffer.alloc(11 * MEBIBYTE, "a"));
  const error = await done.then(
    () => assert.fail("it was accepted"),
    (error) => error,
  );
  assert.equal(error.originalResponse.getStatus(), 413);
});
