import { mimeTypeOf } from "./checks";

/** What a folder may hold before the rest of it is left out. */
export const MAX_FILES = 2000;
const MAX_DEPTH = 16;

/** Of a file system's entry what is needed here; browsers have it from `webkitGetAsEntry`. */
export type Entry = Pick<FileSystemEntry, "isFile" | "isDirectory" | "name">;

const fileOf = (entry: Entry) => new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));

/** The whole of a folder: `readEntries` gives a hundred at a time, and an empty list at the end. */
async function childrenOf(entry: Entry): Promise<Entry[]> {
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: Entry[] = [];
  for (;;) {
    const some = await new Promise<Entry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
    if (all.length > MAX_FILES) return all;
  }
}

export interface Found {
  files: File[];
  /** Files of folders that are no videos. */
  others: number;
  /** There were more than are taken at once, or folders too deep. */
  cut: boolean;
}

/** What came out of folders: only videos are meant, so the others are counted and left alone. */
export function videosAmong(files: readonly File[]): Found {
  const videos = files.filter((file) => mimeTypeOf(file) !== null && !file.name.startsWith("."));
  return { files: videos.slice(0, MAX_FILES), others: files.length - videos.length, cut: videos.length > MAX_FILES };
}

/** Files as they were dropped, and the videos inside dropped folders. One that cannot be read is left out like one that is no video. */
export async function filesOf(entries: readonly Entry[]): Promise<Found> {
  const found: Found = { files: [], others: 0, cut: false };
  const walk = async (entry: Entry, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH || found.files.length >= MAX_FILES) {
      found.cut = true;
      return;
    }
    if (entry.isFile) {
      const file = await fileOf(entry).catch(() => null);
      // What was dropped by itself is answered by name; a folder's other files are not.
      if (file && (depth === 0 || videosAmong([file]).files.length > 0)) found.files.push(file);
      else found.others += 1;
    } else if (entry.isDirectory) {
      const children = await childrenOf(entry).catch(() => []);
      for (const child of [...children].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))) await walk(child, depth + 1);
    }
  };
  for (const entry of entries) await walk(entry, 0);
  return found;
}
