// Sends the requests of `http.mjs`.

import { workerData } from "node:worker_threads";

const { done, port } = workerData;

port.on("message", async ({ method, url, body, headers }) => {
  let answer = { status: 0, body: null };
  try {
    const response = await fetch(url, { method, body, headers });
    answer = { status: response.status, body: await response.text() };
  } catch {
    // k6 reports a failed connection as status 0.
  }
  port.postMessage(answer);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
