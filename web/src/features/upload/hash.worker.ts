import { Sha256 } from "@/lib/sha256";

/** So much of the file is in memory at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

self.onmessage = async ({ data: file }: MessageEvent<File>) => {
  try {
    const hash = new Sha256();
    for (let at = 0; at < file.size; at += PIECE_BYTES) {
      hash.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
    }
    self.postMessage(hash.hex());
  } catch {
    // A file that cannot be read fails when it is sent, with a sentence of its own.
    self.postMessage(null);
  }
};
