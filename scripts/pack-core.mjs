// How the core travels inside the package: one level deflated, the other as what differs from it. Both levels are compiled
// from the same sources and hardly differ, so that the second costs half a kilobyte. Not here: compiling
// (esbuild.config.mjs) and unpacking (sdk/runtime/module.ts).
import { deflateRawSync } from "node:zlib";

/** Shortest stretch that is worth copying, in bytes. */
const SHORTEST = 16;

/** Base64 of a raw deflate stream, the smallest of those that zlib makes: its memory decides where its blocks end. */
export const deflated = (bytes) =>
  [5, 6, 7, 8, 9]
    .map((memLevel) => deflateRawSync(bytes, { level: 9, memLevel }))
    .reduce((best, next) => (next.length < best.length ? next : best))
    .toString("base64");

function sameFrom(a, i, b, j) {
  let length = 0;
  while (i + length < a.length && j + length < b.length && a[i + length] === b[j + length]) length++;
  return length;
}

/**
 * `to` as copies from `from` and new bytes: [[at, length, base64], ...], each the new bytes first and then `length` bytes
 * from `from[at]` on. Greedy: the longest stretch of `from` that comes next.
 */
export function difference(from, to) {
  const places = new Map();
  const key = (bytes, at) => bytes.toString("latin1", at, at + SHORTEST);
  for (let i = 0; i + SHORTEST <= from.length; i++) {
    const same = places.get(key(from, i));
    if (same === undefined) places.set(key(from, i), [i]);
    else same.push(i);
  }
  const steps = [];
  let start = 0;
  let j = 0;
  while (j < to.length) {
    const [length, at] = (places.get(key(to, j)) ?? [])
      .map((i) => [sameFrom(from, i, to, j), i])
      .reduce((best, next) => (next[0] > best[0] ? next : best), [0, 0]);
    if (length < SHORTEST) {
      j++;
      continue;
    }
    steps.push([at, length, to.subarray(start, j).toString("base64")]);
    j += length;
    start = j;
  }
  return [...steps, [0, 0, to.subarray(start).toString("base64")]];
}
