// The module `k6/http`. A request of k6 returns its response, not a promise: a worker sends it, and
// this thread waits.

import { MessageChannel, Worker, receiveMessageOnPort } from "node:worker_threads";

const done = new Int32Array(new SharedArrayBuffer(4));
const { port1, port2 } = new MessageChannel();
const worker = new Worker(new URL("./http_worker.mjs", import.meta.url), {
  workerData: { done, port: port2 },
  transferList: [port2],
});
worker.unref();

export default {
  request(method, url, body, params = {}) {
    Atomics.store(done, 0, 0);
    const began = performance.now();
    port1.postMessage({ method, url, body: body ?? undefined, headers: params.headers ?? {} });
    Atomics.wait(done, 0, 0);
    const { message } = receiveMessageOnPort(port1);
    const duration = performance.now() - began;
    return { ...message, timings: { duration }, json: () => JSON.parse(message.body) };
  },
};
