// A short soak: rounds of every theme, none with an escape. The long one is npm run soak. Not here: that it sees broken
// bounds (test/certify/mutation.test.ts).
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";
import { soakRound, THEMES, themeText } from "./round.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

it.each(THEMES.map((theme) => [themeText(theme), theme] as const))(
  "%s: 15 rounds hold more than 15,000 triples and no escape, to the roundings of plain evaluation",
  async (_, theme) => {
    let triples = 0;
    for (let seed = 0; seed < 15; seed++) {
      const round = await soakRound(runtime, 1_000_000 + seed, [theme]);
      expect(round.escapes, `seed ${1_000_000 + seed}`).toEqual([]);
      triples += round.triples;
    }
    expect(triples).toBeGreaterThan(15_000);
  },
);

it("a round is its seed's alone: the same triples again", async () => {
  for (const seed of [3, 4, 5]) expect(await soakRound(runtime, seed)).toEqual(await soakRound(runtime, seed));
});
