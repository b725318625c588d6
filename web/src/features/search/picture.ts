import { useSyncExternalStore } from "react";

/** What the server takes. */
export const PICTURE_TYPES: readonly string[] = ["image/jpeg", "image/png", "image/webp"];
export const MAX_PICTURE_BYTES = 10 << 20;

/** A picture that is searched with. It has no place in the address, so it stays here until another one comes or it is put away: coming
 *  back from a found moment finds it again. */
export interface Picture {
  /** Another one for each picture. */
  id: number;
  file: File;
  /** For showing it. */
  url: string;
}

let picture: Picture | null = null;
let next = 1;
const listeners = new Set<() => void>();

export function setPicture(file: File | null) {
  if (picture) URL.revokeObjectURL(picture.url);
  picture = file && { id: next++, file, url: URL.createObjectURL(file) };
  for (const listener of listeners) listener();
}

export const usePicture = (): Picture | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => picture,
  );

/** Why a file cannot be searched with. */
export function refusal(file: Pick<File, "type" | "size">): "type" | "size" | null {
  if (!PICTURE_TYPES.includes(file.type)) return "type";
  return file.size > MAX_PICTURE_BYTES ? "size" : null;
}
