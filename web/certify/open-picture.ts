// Picture files as pixels of a small canvas: a photo is scaled down before anything looks at it. Not here: what the
// picture shows (work.ts).
import { h } from "../shared/dom.js";

/** Longest side that is looked at: MNIST's field has 28. */
const SIDE = 512;

/** The pixels of a picture file, at most 512 on a side. @throws RangeError for files that are none or too large */
export async function openPicture(file: File, mostBytes: number): Promise<ImageData> {
  const mebibytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
  if (file.size > mostBytes)
    throw new RangeError(
      `${file.name} has ${mebibytes(file.size)} MiB: here at most ${mebibytes(mostBytes)} can be opened. Crop the digit first.`,
    );
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new RangeError(`${file.name}: the browser knows no such picture. Try a PNG or a JPEG.`);
  }
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = h("canvas", { width, height }).getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
