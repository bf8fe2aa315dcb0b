// SHA-256 as hexadecimal text, by the runtime's own crypto. Not here: what is hashed.

/** SHA-256 of `bytes`, 64 hexadecimal digits. Throws where crypto.subtle is missing: pages that are not secure. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) throw new Error("hash: crypto.subtle is missing: serve the page from https or localhost");
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
