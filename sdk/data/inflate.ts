// Decompression that trusts nothing: sizes are checked before memory is taken, checksums after. The deflate decoder
// itself is fflate's. Not here: the layout of archives (zip.ts).
import { inflateSync } from "fflate";
import { FormatError } from "../errors.js";

/** No deflate stream grows by more than this factor, so a file that declares more lies. */
const MAX_EXPANSION = 1032;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ZIP and gzip (polynomial 0xEDB88320), as an unsigned integer. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

export interface Deflated {
  /** The format to name in errors. */
  readonly format: string;
  /** The deflate stream alone. */
  readonly bytes: Uint8Array;
  /** Where the stream begins in the file, for errors. */
  readonly offset: number;
  /** Declared size after decompression, in bytes. */
  readonly size: number;
  /** Declared CRC-32 of the decompressed bytes. */
  readonly crc: number;
}

/** Decompresses a deflate stream; FormatError unless it has exactly the declared size and checksum. */
export function inflate({ format, bytes, offset, size, crc }: Deflated): Uint8Array {
  if (size > bytes.length * MAX_EXPANSION)
    throw new FormatError(format, offset, `${bytes.length} compressed bytes can not hold the declared ${size}`);
  let result: Uint8Array;
  try {
    result = inflateSync(bytes, { out: new Uint8Array(size) });
  } catch (error) {
    throw new FormatError(format, offset, `corrupt compressed data, ${(error as Error).message}`);
  }
  if (result.length !== size)
    throw new FormatError(format, offset, `${size} bytes declared, ${result.length} found after decompression`);
  if (crc32(result) !== crc) throw new FormatError(format, offset, "checksum of the decompressed bytes does not match");
  return result;
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Length of the gzip header: 10 fixed bytes, then what its flags announce (RFC 1952, section 2.3). */
function gzipHeaderLength(bytes: Uint8Array): number {
  const [, , method, flags] = bytes as unknown as [number, number, number, number];
  if (method !== 8) throw new FormatError("gzip", 2, `unknown compression method ${method}`);
  if (flags & 0xe0) throw new FormatError("gzip", 3, "reserved flags are set");
  let length = 10;
  if (flags & 4) length += 2 + bytes[10]! + 256 * bytes[11]!;
  for (const text of [8, 16]) {
    if (!(flags & text)) continue;
    while (length < bytes.length && bytes[length] !== 0) length++;
    length++;
  }
  return flags & 2 ? length + 2 : length;
}

/** Decompresses a gzip file of one member; anything wrong with it is a FormatError. */
export function gunzip(bytes: Uint8Array): Uint8Array {
  // Ten bytes of header and eight of trailer are always there.
  if (bytes.length < 18) throw new FormatError("gzip", bytes.length, "the file is shorter than its header and trailer");
  const start = gzipHeaderLength(bytes);
  const end = bytes.length - 8;
  if (start > end) throw new FormatError("gzip", bytes.length, "the header runs past the end of the file");
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, 8);
  return inflate({
    format: "gzip",
    bytes: bytes.subarray(start, end),
    offset: start,
    size: trailer.getUint32(4, true),
    crc: trailer.getUint32(0, true),
  });
}
