import { formatTimecode } from "./time";

/** A line for each moment: its time, what it is called, and the address that opens the video there. */
export const momentLinks = (moments: readonly { at_ms: number; title: string | null; page: string }[]): string =>
  moments.map(({ at_ms, title, page }) => [formatTimecode(at_ms), title, `${page}?t=${at_ms}`].filter((part) => part !== null).join(" ")).join("\n");
