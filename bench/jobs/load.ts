// MNIST 0/1 from its four IDX files to checked data sets. No peer.
import { mnist } from "ntkit";
import { defineJob } from "../job.js";

export const load = defineJob({
  name: "load",
  what: "MNIST 0/1 from its IDX files (60,000 + 10,000 images read, 12,665 + 2,115 kept)",
  why: "pixels stay 8-bit from file to core",
  peers: [],
  says: ({ train, test }) => `${train} + ${test} images`,
  prepare: async () => undefined,
  run: () => mnist({ digits: [0, 1] }),
  async check(_, { train, test }) {
    const zeros = train.y.filter((label) => label < 0).length;
    return {
      ok: train.n === 12665 && test.n === 2115 && zeros === 5923,
      figures: { train: train.n, test: test.n, zeros },
    };
  },
});
