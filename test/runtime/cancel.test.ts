// Every long job can be cancelled, and a caller's failing onProgress ends it: it rejects with exactly that reason, gives
// its memory back, and the runtime goes on. With and without threads.
import { describe, expect, it } from "vitest";
import { intervalBounds } from "../../sdk/certify/bounds.js";
import { certify } from "../../sdk/certify/certify.js";
import { crossGram, GramMatrix } from "../../sdk/kernels/gram.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import { krr } from "../../sdk/machines/krr.js";
import { svm } from "../../sdk/machines/svm.js";
import { svmSgd } from "../../sdk/machines/svm-sgd.js";
import type { WorkOptions } from "../../sdk/runtime/runtime.js";
import { randomData, runtimeAt } from "../helpers.js";

const kernel = ntk();
const data = randomData(1500, 40, 1, true);
const few = data.subset(Array.from({ length: 300 }, (_, k) => k));

describe.each([0, 2])("%i threads", async (threads) => {
  const runtime = await runtimeAt("simd", threads);
  const gram = await GramMatrix.create(kernel, few, { runtime });
  const machine = await svm({ kernel, c: 1 }).fit(few, { runtime });
  const expected = await machine.decisionFunction(few, { runtime });

  const jobs: [string, (work: WorkOptions) => Promise<unknown>][] = [
    ["GramMatrix.create", (work) => GramMatrix.create(kernel, data, work)],
    ["multiply", (work) => gram.multiply(new Float64Array(300), work)],
    ["crossGram", (work) => crossGram(kernel, data, few, work)],
    ["spectrum", (work) => spectrum(gram, work)],
    ["krr, low rank", (work) => krr({ kernel, lambda: 0.1 }).fit(data, work)],
    ["krr, direct", (work) => krr({ kernel, lambda: 0.1 }).fit(few, work)],
    ["svm", (work) => svm({ kernel, c: 1 }).fit(data, work)],
    ["svmSgd", (work) => svmSgd({ kernel, epochs: 50 }).fit(few, work)],
    ["decisionFunction", (work) => machine.decisionFunction(data, work)],
    ["intervalBounds", (work) => intervalBounds(machine, data, 0.01, work)],
    ["certify", (work) => certify(machine, data, work)],
  ];

  describe.each(jobs)("%s", (_, job) => {
    it.each([1, 2, 3, 6])("cancelled at call %i of onProgress", async (call) => {
      const before = runtime.memory.bytesInUse;
      const stop = new AbortController();
      const reason = { why: "enough" };
      let calls = 0;
      const onProgress = () => {
        if (++calls === call) stop.abort(reason);
      };
      // A job may be done before its n-th call; the last one cancels too late.
      const outcome = await job({ runtime, signal: stop.signal, onProgress }).then(
        (value) => {
          if (value instanceof GramMatrix) value.dispose();
          return calls <= call ? "done" : "went on";
        },
        (error: unknown) => error,
      );
      if (calls < call) expect(outcome).toBe("done");
      else expect([reason, "done"]).toContain(outcome);
      if (call === 1) expect(outcome).toBe(reason);
      expect(runtime.memory.bytesInUse).toBe(before);
    });

    it("fails with what onProgress throws", async () => {
      const before = runtime.memory.bytesInUse;
      const error = new Error("from the caller");
      const onProgress = () => {
        throw error;
      };
      await expect(job({ runtime, onProgress })).rejects.toBe(error);
      expect(runtime.memory.bytesInUse).toBe(before);
    });

    it("refuses to start with a signal that is aborted already", async () => {
      const before = runtime.memory.bytesInUse;
      const reason = new Error("too late");
      await expect(job({ runtime, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(runtime.memory.bytesInUse).toBe(before);
    });
  });

  it("the runtime computes the same as before", async () => {
    expect(await machine.decisionFunction(few, { runtime })).toEqual(expected);
  });
});
