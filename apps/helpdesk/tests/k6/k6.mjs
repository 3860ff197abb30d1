// The module `k6`.

const cell = new Int32Array(new SharedArrayBuffer(4));

export function sleep(seconds) {
  Atomics.wait(cell, 0, 0, seconds * 1000);
}
