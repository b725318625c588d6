import type { Scene } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import { chapterTitle } from "./chapters";

/** A line for each scene: where it begins, what it is called, and the address that opens the video there. */
export const linksTo = (scenes: readonly Pick<Scene, "start_ms" | "text" | "tags">[], page: string): string =>
  scenes.map((scene) => [formatTimecode(scene.start_ms), chapterTitle(scene), `${page}?t=${scene.start_ms}`].filter((part) => part !== null).join(" ")).join("\n");
