// Finite networks for other verifiers: the network as an ONNX model.
// Weights are written as they are stored (float32). ReLU passes positive factors on, so the factors s_1 ... s_{L+1} are
// multiplied together and into the last layer's weights alone: these are rounded to float32 once, by 6e-8 relatively.
// Not here: balls as VNN-LIB properties (box-property.ts), our own file format (model.ts) and certificates (certify/).
import { PbfWriter } from "pbf";
import type { WorkOptions } from "../runtime/runtime.js";
import { describe } from "../validate.js";
import { VERSION } from "../version.js";
import { initialWeights } from "./initial.js";
import { NetworkModel } from "./model.js";
import { fanIns, layerScales, type NetworkWeights } from "./network.js";

// Field numbers of onnx.proto (IR version 8, operator set 13).
const MODEL = { irVersion: 1, producer: 2, producerVersion: 3, graph: 7, operators: 8 } as const;
const OPERATORS = { version: 2 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, note: 10, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, operator: 4 } as const;
const TENSOR = { dims: 1, type: 2, name: 8, data: 9 } as const;
const VALUE = { name: 1, type: 2 } as const;
const FLOAT = 1;

/** Most bytes of a protobuf message. */
const MOST_BYTES = 2 ** 31 - 1;

interface Graph {
  readonly nodes: { readonly operator: string; readonly inputs: readonly string[]; readonly output: string }[];
  readonly tensors: { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[];
}

/** Adds the layers of one network, its names led by `prefix`; returns the name of its output. */
function addNetwork(graph: Graph, prefix: string, model: NetworkModel, weights: NetworkWeights): string {
  const fans = fanIns(model.spec, model.inputs);
  const factor = layerScales(model.spec, model.inputs).reduce((product, scale) => product * scale, 1);
  const last = weights.output.map((w) => w * factor);
  let value = "X";
  for (const [l, data] of [...weights.hidden, last].entries()) {
    const isLast = l === weights.hidden.length;
    const name = `${prefix}W${l + 1}`;
    graph.tensors.push({ name, shape: [fans[l] ?? 0, isLast ? 1 : (model.spec.widths[l] ?? 0)], data });
    graph.nodes.push({ operator: "MatMul", inputs: [value, name], output: `${prefix}a${l + 1}` });
    value = `${prefix}a${l + 1}`;
    if (isLast) break;
    graph.nodes.push({ operator: "Relu", inputs: [value], output: `${prefix}h${l + 1}` });
    value = `${prefix}h${l + 1}`;
  }
  return value;
}

function writeValue(name: string, columns: number, pbf: PbfWriter): void {
  pbf.writeStringField(VALUE.name, name);
  // TypeProto { tensor_type: { elem_type, shape: { dim { dim_param } dim { dim_value } } } }
  pbf.writeMessage(
    VALUE.type,
    (_, type) =>
      type.writeMessage(
        1,
        (_, tensor) => {
          tensor.writeVarintField(1, FLOAT);
          tensor.writeMessage(
            2,
            (_, shape) => {
              shape.writeMessage(1, (_, dim) => dim.writeStringField(2, "batch"), null);
              shape.writeMessage(1, (_, dim) => dim.writeVarintField(1, columns), null);
            },
            null,
          );
        },
        null,
      ),
    null,
  );
}

function writeGraph({ nodes, tensors }: Graph, inputs: number, note: string, pbf: PbfWriter): void {
  for (const { operator, inputs: names, output } of nodes)
    pbf.writeMessage(
      GRAPH.node,
      (_, node) => {
        for (const name of names) node.writeStringField(NODE.input, name);
        node.writeStringField(NODE.output, output);
        node.writeStringField(NODE.operator, operator);
      },
      null,
    );
  pbf.writeStringField(GRAPH.name, "ntkit");
  for (const { name, shape, data } of tensors)
    pbf.writeMessage(
      GRAPH.initializer,
      (_, tensor) => {
        tensor.writePackedVarint(TENSOR.dims, [...shape]);
        tensor.writeVarintField(TENSOR.type, FLOAT);
        tensor.writeStringField(TENSOR.name, name);
        tensor.writeBytesField(TENSOR.data, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      },
      null,
    );
  pbf.writeStringField(GRAPH.note, note);
  pbf.writeMessage(GRAPH.input, (_, own) => writeValue("X", inputs, own), null);
  pbf.writeMessage(GRAPH.output, (_, own) => writeValue("Y", 1, own), null);
}

/** @throws TypeError unless `value` is a trained network */
function checkNetwork(value: unknown): asserts value is NetworkModel {
  if (!(value instanceof NetworkModel))
    throw new TypeError(`model: expected a trained network, got ${describe(value)}`);
}

/**
 * The network as an ONNX model: input X, float32 [batch, inputs] in data units (white is 1); output Y, [batch, 1], is
 * f(x), or f(x) - f_0(x) when the network is centred (f_0's weights are drawn again from the seed and written too).
 * Only MatMul, Relu and Sub are used.
 * @throws TypeError, RangeError when the file would be larger than the 2 GiB that ONNX allows
 */
export async function exportOnnx(model: NetworkModel, options: WorkOptions = {}): Promise<Uint8Array> {
  checkNetwork(model);
  const count = model.weights.hidden.reduce((sum, layer) => sum + layer.length, model.weights.output.length);
  const bytes = count * 4 * (model.centred ? 2 : 1);
  if (bytes > 0.99 * MOST_BYTES)
    throw new RangeError(`model: expected at most ${MOST_BYTES} bytes of weights for ONNX, got ${bytes}`);
  const graph: Graph = { nodes: [], tensors: [] };
  const trained = addNetwork(graph, "", model, model.weights);
  if (model.centred) {
    const start = addNetwork(graph, "start_", model, await initialWeights(model.spec, model.inputs, options));
    graph.nodes.push({ operator: "Sub", inputs: [trained, start], output: "Y" });
  } else {
    const last = graph.nodes.pop();
    if (last !== undefined) graph.nodes.push({ ...last, output: "Y" });
  }
  const pbf = new PbfWriter();
  pbf.writeVarintField(MODEL.irVersion, 8);
  pbf.writeStringField(MODEL.producer, "ntkit");
  pbf.writeStringField(MODEL.producerVersion, VERSION);
  pbf.writeMessage(MODEL.graph, (own, writer) => writeGraph(own, model.inputs, model.describe(), writer), graph);
  pbf.writeMessage(MODEL.operators, (_, writer) => writer.writeVarintField(OPERATORS.version, 13), null);
  return pbf.finish();
}
