// ZIP archives, as much as NPZ needs: stored and deflated entries, sizes and checksums verified. Not here: Zip64
// (entries above 4 GiB), encryption and archives in several parts, which are refused. fflate's own directory reader
// is not used because it believes the sizes and counts it finds.
import { FormatError } from "../errors.js";
import { crc32, inflate } from "./inflate.js";

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where the entry begins in the archive. */
  readonly offset: number;
}

const END_SIZE = 22;
const ENTRY_SIZE = 46;
const LOCAL_SIZE = 30;
const UNKNOWN = 0xffffffff;

interface DirectoryEntry {
  readonly name: string;
  readonly at: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly offset: number;
}

class Archive {
  readonly view: DataView;

  constructor(
    readonly format: string,
    readonly file: Uint8Array,
  ) {
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  error(offset: number, what: string): FormatError {
    return new FormatError(this.format, offset, what);
  }

  /** Offset of the record that ends the archive; only its comment, of at most 65,535 bytes, comes after it. */
  findEnd(): number {
    const { file, view } = this;
    for (let at = file.length - END_SIZE; at >= Math.max(0, file.length - END_SIZE - 65535); at--)
      if (view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === file.length - END_SIZE - at)
        return at;
    throw this.error(file.length, "no end of archive found: not a ZIP file, or truncated");
  }

  directory(): { entries: DirectoryEntry[]; start: number } {
    const { view } = this;
    const end = this.findEnd();
    if (view.getUint32(end + 4, true) !== 0) throw this.error(end + 4, "archives in several parts are not supported");
    const count = view.getUint16(end + 10, true);
    const size = view.getUint32(end + 12, true);
    const start = view.getUint32(end + 16, true);
    if (start + size !== end)
      throw this.error(end + 12, "the directory does not lie where the end of the archive says (or is Zip64)");
    const entries: DirectoryEntry[] = [];
    let at = start;
    for (let i = 0; i < count; i++) {
      if (at + ENTRY_SIZE > end) throw this.error(at, `the directory ends after ${i} of ${count} entries`);
      const next = this.directoryEntry(at, end);
      entries.push(next.entry);
      at = next.end;
    }
    if (at !== end) throw this.error(at, `${end - at} bytes after the last of ${count} directory entries`);
    return { entries, start };
  }

  private directoryEntry(at: number, limit: number): { entry: DirectoryEntry; end: number } {
    const { view, file } = this;
    if (view.getUint32(at, true) !== 0x02014b50) throw this.error(at, "no directory entry where one should begin");
    if (view.getUint16(at + 8, true) & 1) throw this.error(at + 8, "encrypted entries are not supported");
    const nameEnd = at + ENTRY_SIZE + view.getUint16(at + 28, true);
    const end = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > limit) throw this.error(at + 28, "a directory entry runs past the end of the directory");
    const [compressedSize, size, offset] = [20, 24, 42].map((field) => view.getUint32(at + field, true));
    if (compressedSize === UNKNOWN || size === UNKNOWN || offset === UNKNOWN)
      throw this.error(at, "Zip64 entries are not supported");
    const entry = {
      name: new TextDecoder().decode(file.slice(at + ENTRY_SIZE, nameEnd)),
      at,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedSize: compressedSize!,
      size: size!,
      offset: offset!,
    };
    return { entry, end };
  }

  /** The entry's bytes, decompressed; `limit` is where the directory begins. */
  extract(entry: DirectoryEntry, limit: number): Uint8Array {
    const { view, file, format } = this;
    const { offset, compressedSize, size, method, crc, name } = entry;
    if (offset + LOCAL_SIZE > limit || view.getUint32(offset, true) !== 0x04034b50)
      throw this.error(offset, `entry "${name}" does not begin where the directory says`);
    const start = offset + LOCAL_SIZE + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (start + compressedSize > limit) throw this.error(offset, `entry "${name}" runs into the directory`);
    const bytes = file.subarray(start, start + compressedSize);
    if (method === 8) return inflate({ format, bytes, offset: start, size, crc });
    if (method !== 0) throw this.error(entry.at + 10, `entry "${name}" is compressed by unknown method ${method}`);
    if (size !== compressedSize) throw this.error(entry.at + 20, `entry "${name}" is stored, yet has two sizes`);
    if (crc32(bytes) !== crc) throw this.error(start, `checksum of entry "${name}" does not match`);
    return bytes;
  }
}

/**
 * All entries in the order of the directory. FormatError (with the given format's name) on anything malformed, on a
 * name that occurs twice, and before any decompression when the declared sizes exceed `maxBytes` together.
 */
export function readZip(format: string, file: Uint8Array, maxBytes: number): ZipEntry[] {
  const archive = new Archive(format, file);
  const { entries, start } = archive.directory();
  const names = new Set<string>();
  let total = 0;
  for (const { name, size, at } of entries) {
    if (names.has(name)) throw archive.error(at, `entry "${name}" occurs twice`);
    names.add(name);
    total += size;
    if (total > maxBytes)
      throw archive.error(at, `decompressed size of ${total} bytes or more exceeds maxBytes ${maxBytes}`);
  }
  return entries.map((entry) => ({
    name: entry.name,
    bytes: archive.extract(entry, start),
    offset: entry.offset,
  }));
}
