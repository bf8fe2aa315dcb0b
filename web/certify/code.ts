// The same in the reader's own program: code with the picture inside. Not here: the report as a file (work.ts).

/** A program for Node that repeats the certificate; it needs the model's file beside it. */
export function sdkCode(pixels: Uint8Array, label: -1 | 1, domain: boolean): string {
  const text = btoa(String.fromCharCode(...pixels));
  const lines = text.match(/.{1,100}/g) ?? [];
  const options = `{ method: "best", attack: true${domain ? ", domain: true" : ""} }`;
  return `import { readFile } from "node:fs/promises";
import { certify, dataset, Machine } from "ntkit";

// The file that "Download model" saves.
const machine = Machine.load(await readFile("svm.safetensors"));
// 28 x 28 pixels, 0 to 255.
const picture = Buffer.from(
  [
${lines.map((line) => `    "${line}",`).join("\n")}
  ].join(""),
  "base64",
);
const data = dataset({ x: new Uint8Array(picture), y: [${label}], shape: [1, 784] });
const report = await certify(machine, data, ${options});
console.log(JSON.stringify(report.perSample[0], ["decision", "radius", "attackRadius"]));
`;
}
