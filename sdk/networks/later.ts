// exportOnnx(), whose code comes when it is first called: it brings a writer of protocol buffers along, and few pages
// export. Not here: the export (onnx.ts).
import type { exportOnnx as ExportOnnx } from "./onnx.js";

/**
 * The network as an ONNX model: input X, float32 [batch, inputs] in data units (white is 1); output Y, [batch, 1], is
 * f(x), or f(x) - f_0(x) when the network is centred (f_0's weights are drawn again from the seed and written too).
 * Only MatMul, Relu and Sub are used.
 * @throws TypeError, RangeError when the file would be larger than the 2 GiB that ONNX allows
 */
export const exportOnnx: typeof ExportOnnx = async (...args) => (await import("../rare.js")).exportOnnx(...args);
