// Where the suite of backends runs: Node, which is given a software GPU, or a page, which is given the address of
// TensorFlow.js's files. Not here: what is tested there.

export const inPage = typeof document !== "undefined";

/** To be called before WebGPU or TensorFlow.js is used. */
export async function preparePlace(): Promise<void> {
  if (inPage) {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
  } else {
    const { useSoftwareGpu } = await import("./software-gpu.js");
    useSoftwareGpu();
  }
}
