import { useLocation, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";

/** The hit by which somebody left the results, and the place of the results in the browser's history. */
interface Left {
  sceneId: string;
  videoId: string;
  index: number;
}
let left: Left | null = null;

function leave(by: Left) {
  left = by;
}

/** Remembers by which hit the results are left. */
export function useLeaving(): (hit: { scene_id: string; video_id: string }) => void {
  const router = useRouter();
  return (hit) => leave({ sceneId: hit.scene_id, videoId: hit.video_id, index: router.history.location.state.__TSR_index });
}

/** Once, for whoever comes back: the hit to go on from. */
export function takeLeft(): string | null {
  const sceneId = left?.sceneId ?? null;
  left = null;
  return sceneId;
}

/** Escape goes from the player back to the results that led there. What has a use for Escape itself comes first. */
export function useWayBack() {
  const router = useRouter();
  const { pathname } = useLocation();
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || !left || !pathname.endsWith(`/videos/${left.videoId}`)) return;
      if (document.fullscreenElement || document.querySelector("dialog[open]")) return;
      if ((event.target as HTMLElement).closest("input:not([type=range]), textarea, select, [contenteditable=true], [aria-expanded=true]")) return;
      const by = left.index - router.history.location.state.__TSR_index;
      if (by < 0) router.history.go(by);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [router, pathname]);
}
