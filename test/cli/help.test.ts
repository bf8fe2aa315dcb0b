// Help, version and wrong use: what is printed and how the process ends.
import { describe, expect, test } from "vitest";
import { run, scratchFolder, shell } from "./run.js";

const COMMANDS = [
  "quickstart",
  "train",
  "cv",
  "certify",
  "attack",
  "merge",
  "verify-cert",
  "predict",
  "inspect",
  "reproduce",
  "bench",
];

describe("help", () => {
  test("lists the commands and exit codes", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: ntkit [options] [command]

      Infinite-width neural networks as kernel machines: trained, compared and
      certified

      Options:
        --version                     print the version
        --help                        show this help

      Commands:
        quickstart [options]          train ten machines on MNIST 0/1, certify every
                                      test image, print Tables 3 and 2
        train [options]               train a machine on a data set and write it to a
                                      model file
        cv [options]                  cross-validate a machine over lambda or C,
                                      epsilon and depth, with a plot; folds share Gram
                                      matrices
        certify [options] <model>     certify a model's decisions: the radius around
                                      each input within which its sign, or its class,
                                      is proved; of a machine for real targets the
                                      interval of its output
        attack [options] <model>      look for the nearest inputs at which a model
                                      decides otherwise; each counts once its sign is
                                      proved
        merge [options] <parts...>    put the parts that certify --shard wrote
                                      together: the report of one run, byte for byte
        verify-cert [options] <file>  check a report of certify --json: every radius
                                      is proved again by a second implementation in
                                      interval arithmetic, for all methods of machines
                                      and networks; slow, seconds a sample for
                                      curvature, best and aggregate. Reports of
                                      --soundness estimate-f64 and of partial
                                      perturbations are refused, attack radii without
                                      their inputs are counted as not checked, and a
                                      radius smaller than its method could prove is
                                      true and passes
        predict [options] <model>     decisions of a model on a data set and their
                                      accuracy, or its values and their error
        inspect [options] <model>     show what a model file holds: machine, machines
                                      of several classes or network, training report,
                                      hashes
        export [options] <model>      write a finite network as ONNX, and balls around
                                      inputs as VNN-LIB, for other verifiers
        reproduce [options] <target>  measure a table or figure of the paper on MNIST
                                      0/1
        tightness [options]           how nearly exact certificates are: bounds of
                                      five machines on MNIST 0/1 beside attacks
        digits [options]              tell several digits of MNIST apart, one machine
                                      against the rest each, with joint certificates
        dynamics [options]            networks of several widths beside their machine:
                                      difference and kernel drift against width
        theory [options] <theorem>    a theorem of the paper computed on data: tables,
                                      a plot and JSON
        bench [args...]               time the jobs of the benchmark suite, beside
                                      their peers with --peers

      Start with: ntkit quickstart
      Help on a command: ntkit <command> --help
      Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted
      "
    `);
  });

  const flags: Record<string, string[]> = {
    train: [
      "--data",
      "--machine",
      "--multiclass",
      "--regression",
      "--lambda",
      "--c",
      "--bias",
      "--depth",
      "--activation",
      "--slope",
      "--kernel",
      "--epochs",
      "--batch",
      "--lr",
    ],
    certify: [
      "--data",
      "--split",
      "--method",
      "--radius",
      "--within",
      "--samples",
      "--seed",
      "--bracket",
      "--tolerance",
      "--tsv",
    ],
    attack: ["--data", "--split", "--method", "--norm", "--domain", "--restarts", "--steps", "--out", "--pictures"],
    cv: [
      "--data",
      "--machine",
      "--lambda",
      "--c",
      "--epsilon",
      "--depth",
      "--activation",
      "--slope",
      "--folds",
      "--bias",
      "--seed",
      "--out",
    ],
    digits: [
      "--digits",
      "--machine",
      "--lambda",
      "--rows",
      "--count",
      "--method",
      "--radii",
      "--no-search",
      "--rank",
      "--out",
    ],
    predict: ["--data", "--split", "--samples"],
    reproduce: ["--lambda", "--rows", "--samples", "--seeds", "--widths", "--depth", "--epochs", "--out"],
    theory: [
      "--n",
      "--tests",
      "--width",
      "--loss",
      "--lambda",
      "--widths",
      "--seeds",
      "--time",
      "--steps",
      "--delta",
      "--raw",
      "--out",
    ],
    inspect: [],
    quickstart: [],
  };
  test.each(Object.entries(flags))("of %s names its flags and gives examples", async (command, own) => {
    const { code, stdout } = await run([command, "--help"]);
    expect(code).toBe(0);
    for (const flag of [...own, "--threads", "--memory", "--json", "--quiet", "--debug"])
      expect(stdout).toContain(`  ${flag}`);
    expect(stdout).toContain(`Examples:\n  $ ntkit ${command}`);
  });

  test("no command prints the help on standard error and ends with 2", async () => {
    const { code, stdout, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    for (const command of COMMANDS) expect(stderr).toContain(`\n  ${command} `);
  });

  test("--version prints the version alone", async () => {
    const { code, stdout } = await run(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong use ends with 2 and names what was expected", () => {
  const train = "train --data mnist:0,1 --out x.safetensors";
  const certify = "certify m.safetensors --data mnist:0,1";
  const cases: [line: string, message: string][] = [
    ["foo", "unknown command 'foo'"],
    ["train", "required option '--data <source>' not specified"],
    [`${train} --machine krr --frobnicate`, "unknown option '--frobnicate'"],
    [`${train} --machine krr --lamda 1`, "unknown option '--lamda' (Did you mean --lambda?)"],
    [`${train} --machine krr extra`, "too many arguments for 'train'. Expected 0 arguments but got 1."],
    [
      train,
      '--machine: expected "krr" | "svm" | "svm2" | "hard-margin" | "svr" | "logistic" | "svm-sgd", or --network and widths, got neither',
    ],
    [`${train} --network 0`, '--network: expected widths >= 1, as "10000" or "512,512", got "0"'],
    [`${train} --network 5 --depth 2`, "--depth: expected only with --machine, got --network"],
    [`${train} --machine krr --loss hinge`, "--loss: expected only with --network, got --machine krr"],
    [
      "reproduce figure1 --epochs 3",
      "--epochs: expected only with figureA1, table2, certificates, certificate-width, got it with figure1",
    ],
    ["reproduce table2 --attack", "--attack: expected only with table3, got it with table2"],
    ["reproduce figure1 --method best", "--method: expected only with table3, got it with figure1"],
    ["reproduce table3 --width 5", "--width: expected only with figure1, losses, figureA1, got it with table3"],
    [
      "reproduce figureA1 --seeds 5",
      "--seeds: expected only with table3, table2, certificate-width, certificates, got it with figureA1",
    ],
    [
      "reproduce certificate-width --rows krr",
      "--rows: expected only with table3, table2, got it with certificate-width",
    ],
    [
      "reproduce certificate-width --steps 5",
      "--steps: expected only with figure1, losses, dynamics, got it with certificate-width",
    ],
    ["reproduce losses --samples 5", "--samples: expected only with table3, table2, table1, certificate-width,"],
    [
      "theory convergence --width 5",
      "--width: expected only with path-kernel, generalisation, got it with convergence",
    ],
    [
      "reproduce table2 --widths 9 --depth 2",
      "--depth: expected only with losses, certificate-width, dynamics, got it with table2",
    ],
    [
      `${train} --machine forest`,
      '--machine: expected "krr" | "svm" | "svm2" | "hard-margin" | "svr" | "logistic" | "svm-sgd", got "forest"',
    ],
    [`${train} --machine krr --lambda abc`, '--lambda: expected a number, got "abc"'],
    [`${train} --machine krr --lambda 0x10`, '--lambda: expected a number, got "0x10"'],
    [`${train} --machine krr --lambda -1`, "--lambda: expected a finite number >= 0, got -1"],
    [`${train} --machine krr --epochs 3`, "--epochs: expected only with --machine svm-sgd, got --machine krr"],
    [`${train} --machine krr --c 1`, "--c: expected only with --machine svm, svm2, svr or logistic, got --machine krr"],
    [
      `${train} --machine svm-sgd --bias`,
      "--bias: expected only with --machine krr, svm, svm2, hard-margin, svr or logistic, got --machine svm-sgd",
    ],
    [
      `${train} --machine hard-margin --c 1`,
      "--c: expected only with --machine svm, svm2, svr or logistic, got --machine hard-margin",
    ],
    [`${train} --machine svm2 --epsilon 1`, "--epsilon: expected only with --machine svr, got --machine svm2"],
    [`${train} --machine svr --epsilon -1`, "--epsilon: expected a finite number >= 0, got -1"],
    [`${train} --machine svm --seed 1`, "--seed: expected only with --machine svm-sgd, got --machine svm"],
    [`${train} --machine svm --c 1 --lambda 1`, "--c: expected either c or lambda = 1 / c, got both"],
    [`${train} --machine svm --c 0`, "--c: expected a finite number > 0"],
    [`${train} --machine svm-sgd --lr 0`, "--lr: expected a finite number > 0, got 0"],
    [`${train} --machine svm-sgd --batch 1.5`, "--batch: expected an integer >= 1"],
    [`${train} --machine svm --depth 0`, "--depth: expected an integer >= 1"],
    [`${train} --machine svm --activation tanh`, '--activation: expected "relu" | "leaky-relu" | "erf" | "sine", got'],
    [`${train} --machine svm --slope 0.1`, '--slope: expected only with the activation "leaky-relu"'],
    [`${train} --network 5 --activation erf`, "--activation: expected only with --machine, got --network"],
    [`${train} --machine svm --weight-variance 0`, "--weight-variance: expected a finite number > 0"],
    [`${train} --machine svm --kernel rbf`, '--kernel: expected "ntk" | "nngp", got "rbf"'],
    ["train --data mnist:0,0 --machine svm --out x", "--data: expected"],
    ["train --data mnist:0,11 --machine svm --out x", "--data: expected"],
    ["train --data mnist:0,0-3 --machine svm --out x", "--data: expected"],
    ["train --data mnist:3-1 --machine svm --out x", "--data: expected"],
    ["attack m.safetensors --data mnist:0-9", "--data: expected"],
    [`${train} --machine svm --regression`, "--regression: expected only with --machine krr or svr, got svm"],
    [`${train} --network 5 --multiclass ovo`, "--multiclass: expected only with --machine, got --network"],
    [`${train} --machine svm --multiclass all`, '--multiclass: expected "ovr" | "ovo", got "all"'],
    ["train --data x.npy --machine svm --out x", "--data: expected"],
    ["train --data mnist:0,1 --machine svm --out -", '--out: expected the path of a file, got "-"'],
    [`${certify} --samples 0`, '--samples: expected "all", a number N >= 1 or "random:N", got "0"'],
    [`${certify} --samples some`, '--samples: expected "all", a number N >= 1 or "random:N", got "some"'],
    [`${certify} --bracket 0.3,0`, '--bracket: expected two radii with 0 <= low < high, as "0,0.3", got "0.3,0"'],
    [`${certify} --tolerance 0`, '--tolerance: expected a number >= 1e-9 and <= 0.5, got "0"'],
    [`${certify} --split validation`, '--split: expected "test" | "train", got "validation"'],
    [
      `${certify} --method magic`,
      '--method: expected "interval" | "linear" | "curvature" | "best" | "ibp" | "ibp-difference" | "paired" | "aggregate", got "magic"',
    ],
    [`${certify} --seed -1`, '--seed: expected an integer >= 0, got "-1"'],
    [`${certify} --threads many`, '--threads: expected an integer >= 0 and <= 64, got "many"'],
    [`${certify} --memory 1TB`, "--memory: expected bytes from 8MiB to 4GiB"],
    [`${certify} --json --quiet`, '--json: expected a value, got "--quiet"'],
    [`${certify} --json - --tsv -`, '--tsv: expected another file than --json, got "-" for both'],
    [`${certify} --json m.safetensors`, '--json: expected another file than model, got "m.safetensors" for both'],
    ["digits --digits 3", '--digits: expected at least two different digits, as "0,1,7", got "3"'],
    ["digits --digits 3,3", "--digits: expected at least two different digits"],
    ["cv --data mnist:0,1", "required option '--machine <krr|svm|svm2|svr|logistic>' not specified"],
    ["cv --data mnist:0,1 --machine forest", '--machine: expected "krr" | "svm" | "svm2" | "svr" | "logistic", got'],
    ["cv --data mnist:0,1 --machine svm --folds 1", '--folds: expected an integer >= 2, got "1"'],
    ["cv --data mnist:0,1 --machine svm --c 1 --lambda 1", "--c: expected either --c or --lambda = 1 / c, got both"],
    [
      "cv --data mnist:0,1 --machine krr --c 1",
      "--c: expected only with --machine svm, svm2, svr or logistic, got krr",
    ],
    ["reproduce", "missing required argument 'target'"],
    [
      "reproduce table4",
      'target: expected table1, table3, table2, figure1, losses, figureA1, certificate-width, certificates, got "table4"',
    ],
    ["reproduce table1 --lambda 1,2", '--lambda: expected one number > 0 for table1, got "1,2"'],
    ["reproduce table1 --samples all", "--samples: expected a number N for table1, the first N images"],
    ["reproduce table1 --attack", "--attack: expected only with table3, got it with table1"],
    ["reproduce table1 --widths 5", "--widths: expected only with figure1,"],
    ["reproduce table2 --lambda 1", '--lambda: expected svm rows for table2, got "krr" rows'],
    ["reproduce table2 --rows krr", '--rows: expected svm rows for table2, got "krr" rows'],
    ["reproduce table3 --rows svm --lambda 1", "--lambda: expected krr among --rows"],
    ["reproduce table3 --lambda 1,x", '--lambda: expected numbers >= 0, as "0,1,1000", got "1,x"'],
    ["reproduce table3 --lambda 1 --seeds 3", "--seeds: expected svm among --rows"],
    ["quickstart now", "too many arguments for 'quickstart'. Expected 0 arguments but got 1."],
  ];
  test.concurrent.each(cases)("ntkit %s", async (line, message) => {
    const { code, stdout, stderr } = await shell(line);
    expect(stderr).toContain(`ntkit: ${message}`);
    expect(stderr).toMatch(/\nSee ntkit( \w+)? --help\n$/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("work that fails ends with 1 and one line", () => {
  const folder = scratchFolder();
  const cases: [line: string, message: string][] = [
    ["certify nowhere.safetensors --data mnist:0,1", "nowhere.safetensors: no such file"],
    ["inspect .", ".: is a folder, a model file was expected"],
    ["train --data nowhere:0,1 --machine svm --out x", "nowhere: no such file or folder"],
    ["train --data nowhere.npz --machine svm --out x", "nowhere.npz: no such file or folder"],
    ["train --data mnist:0,1 --machine svm --out no/x", "no/x: can not be written, its folder does not exist"],
    ["train --data mnist:0,1 --machine krr --memory 16MiB --out x", "rows needs 23 MiB, the budget is 16 MiB"],
    ["reproduce table3 --json no/x", "no/x: can not be written, its folder does not exist"],
  ];
  test.concurrent.each(cases)("ntkit %s", async (line, message) => {
    const { code, stdout, stderr } = await shell(line, { folder });
    expect(stderr).toContain(`ntkit: ${message}`);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  test("--debug shows the stack", async () => {
    const { code, stderr } = await shell("inspect nowhere --debug", { folder });
    expect(stderr).toMatch(/nowhere: no such file\n\s+at /);
    expect(code).toBe(1);
  });
});
