// npm run soak: rounds of random machines, balls and samples until the minutes are over or a sample escapes its bounds.
// Prints how far it is, and at the end how many triples there were; ends with 1 and the seed of the round otherwise.
// Not here: what a round is (round.ts).
import { parseArgs } from "node:util";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { soakRound } from "./round.js";

const USAGE = `Usage: npm run soak -- [--minutes N] [--seed S] [--rounds N]

  --minutes N   how long (default: 3)
  --seed S      seed of the first round, an integer >= 0; round k has seed S + k (default: 0)
  --rounds N    stop after so many rounds: --seed S --rounds 1 plays one again
`;

function wrong(message: string): never {
  process.stderr.write(`soak: ${message}\n${USAGE}`);
  process.exit(2);
}

function numberOf(flag: string, text: string, integer: boolean): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < Infinity) || (integer && !Number.isSafeInteger(value)))
    wrong(`--${flag}: expected ${integer ? "an integer" : "a number"} >= 0, got "${text}"`);
  return value;
}

function readFlags() {
  try {
    const text = { type: "string" } as const;
    return parseArgs({ options: { minutes: text, seed: text, rounds: text, help: { type: "boolean" } } }).values;
  } catch (error) {
    return wrong((error as Error).message);
  }
}

const flags = readFlags();
if (flags.help === true) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const minutes = numberOf("minutes", flags.minutes ?? "3", false);
const first = numberOf("seed", flags.seed ?? "0", true);
const rounds = flags.rounds === undefined ? Infinity : numberOf("rounds", flags.rounds, true);

const runtime = await Runtime.create({ threads: 0 });
const start = performance.now();
let told = start;
let triples = 0;
let round = 0;
for (; round < rounds && performance.now() - start < minutes * 60_000; round++) {
  const seed = first + round;
  const { triples: own, escapes } = await soakRound(runtime, seed);
  triples += own;
  if (escapes.length > 0) {
    for (const what of escapes) process.stderr.write(`soak: seed ${seed}: ${what}\n`);
    process.stdout.write(`${triples} triples, ${escapes.length} escapes\n`);
    process.stderr.write(`soak: play it again with npm run soak -- --seed ${seed} --rounds 1\n`);
    process.exit(1);
  }
  if (performance.now() - told < 5000) continue;
  told = performance.now();
  process.stderr.write(`${((told - start) / 60_000).toFixed(1)} min, ${round + 1} rounds, ${triples} triples\n`);
}
process.stdout.write(`${triples} triples, 0 escapes\n`);
