// The conformance suite: what every runtime has to compute to the bit, as one SHA-256 for each part. Plain ECMAScript
// that takes the SDK as an argument, so that the same file runs everywhere and on every build of the package.
// Not here: whether the numbers are right (the other suites) and whether the hashes agree (conformance.test.ts).

/** Uniform numbers in [0, 1) by integer arithmetic (mulberry32): engines may disagree about sin and log. */
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z = (z + Math.imul(z ^ (z >>> 7), z | 61)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows labelled by a random halfspace: pixels of which a third are not zero, or reals in [-1, 1). */
function rows(sdk, n, d, seed, pixels) {
  const next = uniform(seed);
  const x = pixels
    ? Uint8Array.from({ length: n * d }, () => (next() < 0.3 ? next() * 256 : 0))
    : Float64Array.from({ length: n * d }, () => 2 * next() - 1);
  const direction = Float64Array.from({ length: d }, () => next() - 0.5);
  const y = Array.from({ length: n }, (_, i) =>
    direction.reduce((sum, entry, k) => sum + entry * x[i * d + k], 0) > 0 ? 1 : -1,
  );
  return sdk.dataset({ x, y, shape: [n, d], name: `rows ${seed}` });
}

/** A value as bytes: typed arrays as they lie in memory, everything else as JSON text. */
function bytesOf(value) {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  return new TextEncoder().encode(JSON.stringify(value));
}

/** SHA-256 of some values, each with its class and length before it. */
export async function hash(values) {
  const parts = values.flatMap((value) => {
    const bytes = bytesOf(value);
    return [bytesOf([ArrayBuffer.isView(value) ? value.constructor.name : "JSON", bytes.length]), bytes];
  });
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** "RangeError: lambda: ..." of what `work` throws; "nothing" when it does not. */
async function failure(work) {
  try {
    await work();
    return "nothing";
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

const withoutTimes = ({ perSample }) => perSample.map(({ seconds, adversarial, ...rest }) => rest);

/** The parts of the suite, by name: each gives the values that its hash is taken of. */
const PARTS = {
  async kernel({ sdk, runtime, pixels, reals }) {
    const kernels = [sdk.ntk(), sdk.ntk({ depth: 5 }), sdk.nngp({ depth: 2, weightVariance: 1.5, biasVariance: 0.3 })];
    const all = kernels.flatMap((kernel) =>
      [pixels, reals].map((data) => sdk.crossGram(kernel, data, data, { runtime })),
    );
    return (await Promise.all(all)).map(({ values }) => values);
  },
  async gram({ sdk, runtime, pixels, reals }) {
    const values = [];
    for (const data of [pixels, reals]) {
      const gram = await sdk.GramMatrix.create(sdk.ntk(), data, { runtime });
      const p = Float64Array.from({ length: data.n }, (_, i) => 1 / (i + 1));
      values.push(gram.toArray(), gram.diagonal(), await gram.multiply(p), await sdk.spectrum(gram, { steps: 20 }));
      gram.dispose();
    }
    return values;
  },
  async ridge({ sdk, runtime, pixels, reals }) {
    const path = sdk.krrPath({ kernel: sdk.ntk(), lambdas: [0.001, 1, 100] });
    const machines = [...(await path.fit(pixels, { runtime })), ...(await path.fit(reals, { runtime }))];
    return Promise.all(
      machines.flatMap((machine) => [machine.alpha, machine.decisionFunction(machine.rows, { runtime })]),
    );
  },
  async svm({ sdk, runtime, pixels, reals }) {
    const exact = await sdk.svm({ kernel: sdk.ntk(), c: 2, bias: true }).fit(reals, { runtime });
    const descent = await sdk.svmSgd({ kernel: sdk.ntk(), batch: 16, epochs: 5, seed: 7 }).fit(pixels, { runtime });
    return [exact.alpha, exact.bias, exact.rows.x, descent.alpha, descent.history];
  },
  interval: (context) => certified(context, "interval", 12),
  linear: (context) => certified(context, "linear", 12),
  curvature: (context) => certified(context, "curvature", 3),
  async attack({ sdk, runtime, machine, pixels }) {
    const found = await sdk.attack(machine, pixels, { runtime, samples: 6, restarts: 2 });
    return [withoutTimes(found), ...found.perSample.map(({ adversarial }) => adversarial ?? "none")];
  },
  async network({ sdk, simd, pixels }) {
    const options = { backend: "wasm", batch: 16, epochs: 3, runtime: simd };
    const model = await sdk.trainNetwork(sdk.network({ widths: [33, 24], seed: 3 }), pixels, options);
    const report = await sdk.certify(model, pixels, { runtime: simd, samples: 6 });
    return [
      model.save(),
      withoutTimes(report),
      withoutTimes(await sdk.certify(model, pixels, { runtime: simd, method: "ibp-difference", samples: 6 })),
    ];
  },
  async "save and load"({ sdk, runtime, machine, pixels }) {
    const file = machine.save();
    const loaded = sdk.loadModel(file);
    const archive = sdk.writeNpz({
      x: { shape: [pixels.n, pixels.d], data: pixels.x },
      y: { shape: [pixels.n], data: pixels.y },
    });
    const report = await sdk.certify(loaded, pixels, { runtime, samples: 4 });
    return [
      file,
      loaded.save(),
      await machine.hash(),
      await loaded.decisionFunction(pixels, { runtime }),
      ...[...sdk.readNpz(archive).values()].map(({ data }) => data),
      sdk.reportToJson(report),
      sdk.reportToTsv(report),
    ];
  },
  /** Stopped on the way: the signal's reason comes out, nothing hangs, and the runtime still computes the same. */
  async cancellation({ sdk, runtime, reals }) {
    const before = await sdk.GramMatrix.create(sdk.ntk(), reals, { runtime });
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("enough"));
    const large = rows(sdk, 700, 5, 9, false);
    const stopped = await failure(() =>
      sdk.GramMatrix.create(sdk.ntk({ depth: 150 }), large, { runtime, signal: stop.signal, onProgress }),
    );
    const never = await failure(() =>
      sdk.krr({ kernel: sdk.ntk(), lambda: 1 }).fit(reals, { runtime, signal: stop.signal }),
    );
    const after = await sdk.GramMatrix.create(sdk.ntk(), reals, { runtime });
    return [stopped, never, before.toArray(), after.toArray()];
  },
  async errors({ sdk, runtime, machine, pixels, reals }) {
    const calls = [
      () => sdk.dataset({ x: [1, 2], y: [1, -1], shape: [2, 1] }),
      () => sdk.dataset({ x: Float64Array.of(1, Number.NaN), y: [1, -1], shape: [2, 1] }),
      () => sdk.ntk({ depth: 0 }),
      () => sdk.svm({ kernel: sdk.ntk(), c: -1 }),
      () => sdk.krr({ kernel: sdk.ntk(), lambda: "1" }),
      () => sdk.krr({ kernel: sdk.ntk(), lambda: 1 }).fit(null, { runtime }),
      () => sdk.certify(machine, reals, { runtime }),
      () => sdk.certify(machine, pixels, { runtime, method: "exact" }),
      () => sdk.certify(machine, pixels, { runtime, norm: "l2" }),
      () => sdk.loadModel(Uint8Array.of(1, 2, 3)),
      () => sdk.loadModel(machine.save().subarray(0, 700)),
      () => sdk.readNpz(Uint8Array.of(80, 75, 3, 4)),
      () => sdk.Runtime.create({ threads: -1 }),
      () => sdk.Runtime.create({ memory: "much" }),
      () => sdk.GramMatrix.create(sdk.ntk(), rows(sdk, 2, 2, 1, false), { runtime: {} }),
    ];
    return Promise.all(calls.map(failure));
  },
};

async function certified({ sdk, runtime, machine, pixels }, method, samples) {
  const report = await sdk.certify(machine, pixels, { runtime, method, samples });
  const { lower, upper } = await sdk.machineBounds(machine, pixels, 0.01, { runtime, method });
  return [withoutTimes(report), lower, upper];
}

/** Where memory may not be shared, only long jobs are sent to threads: makes it the short ones here, a few times each. */
function sendAll(runtime) {
  const asked = new Map();
  runtime.paces.get = (name) => {
    const times = asked.get(name) ?? 0;
    asked.set(name, times + 1);
    return times < 20 ? 1e6 : 0;
  };
}

/**
 * Does everything on `threads` threads (undefined: as many as the SDK chooses) and gives
 * { threads, level, hashes: { part: SHA-256 } }. `threads` comes back as the number that the runtime really has, 0 where
 * a page lets none in. `more` goes to Runtime.create().
 */
export async function conformance(sdk, threads, more = {}) {
  const runtime = await sdk.Runtime.create({ ...more, threads });
  // Networks may use relaxed SIMD, whose roundings are the engine's own; plain SIMD has none to choose.
  const simd = await sdk.Runtime.create({ ...more, threads, level: "simd" });
  for (const own of [runtime, simd]) sendAll(own);
  const pixels = rows(sdk, 70, 36, 1, true);
  const reals = rows(sdk, 90, 7, 2, false);
  const machine = await sdk.svm({ kernel: sdk.ntk(), c: 2 }).fit(pixels, { runtime });
  const context = { sdk, runtime, simd, pixels, reals, machine };
  const hashes = {};
  for (const [name, part] of Object.entries(PARTS)) hashes[name] = await hash(await part(context));
  await Promise.all([runtime.close(), simd.close()]);
  return { threads: runtime.threads, level: runtime.level, hashes };
}
