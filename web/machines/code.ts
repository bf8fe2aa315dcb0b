// The picture as a program over the SDK, to be pasted into a file or a page. Not here: what the page computes (work.ts).
import { CHOICES, type MachineKey } from "./losses.js";
import type { Point } from "./points.js";

/** A module that trains the machine of the picture and prints each point's certified radius. */
export function codeFor(points: readonly Point[], machine: MachineKey, lambda: number, depth: number): string {
  const choice = CHOICES[machine];
  const names = ["certify", "coverRadii", "dataset", "lift", "ntk", choice.name].sort().join(", ");
  const method = depth === 1 ? "best" : "interval";
  return `import { ${names} } from "ntkit";

const points = dataset({
  x: Float64Array.of(${points.map(({ x, y }) => `${x}, ${y}`).join(", ")}),
  y: [${points.map(({ label }) => label).join(", ")}],
  shape: [${points.length}, 2],
});
// A kernel without biases needs a constant entry behind x and y; "movable" keeps it out of the perturbation.
const rows = lift(points);
const kernel = ntk({ depth: ${depth} });
${choice.code.includes("lambda") ? `const lambda = ${lambda};\n` : ""}const machine = await ${choice.code}.fit(rows);
const report = await certify(machine, rows, { method: "${method}", movable: 2, bracket: [0, 2] });
// One bound for the whole square, and the same cut into cells until the proof reaches the decision's line.
const covers = await coverRadii(machine, rows, { movable: 2, limit: 2 });
for (const { index, decision, radius } of report.perSample)
  console.log(index, decision, radius, covers[index].radius);
`;
}
