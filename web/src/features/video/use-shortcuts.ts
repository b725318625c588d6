import { useEffect, useRef, type RefObject } from "react";
import type { PlayerHandle } from "./Player";

/** The key as a Latin keyboard has it: with Korean switched on, K types ㅏ. */
const latin = ({ key, code }: KeyboardEvent) => {
  if (/^Key[A-Z]$/.test(code) && !/^[a-z]$/i.test(key)) return code.slice(3).toLowerCase();
  return key.length === 1 ? key.toLowerCase() : key;
};

/** Space, J, K, L and their friends, unless the person types or the focused control wants the key itself. */
export function useShortcuts(player: RefObject<PlayerHandle | null>, onScene: (direction: 1 | -1) => void) {
  const scene = useRef(onScene);
  useEffect(() => {
    scene.current = onScene;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      const range = target instanceof HTMLInputElement && target.type === "range";
      if (!range && target.closest("input, textarea, select, [contenteditable=true], dialog")) return;
      const handle = player.current;
      if (!handle) return;
      const run: Record<string, () => void> = {
        k: handle.toggle,
        j: () => handle.nudge(-10_000),
        l: () => handle.nudge(10_000),
        m: handle.toggleMute,
        c: handle.toggleCaptions,
        f: handle.toggleFullscreen,
        ",": () => scene.current(-1),
        ".": () => scene.current(1),
      };
      if (!range) {
        run.ArrowLeft = () => handle.nudge(-5000);
        run.ArrowRight = () => handle.nudge(5000);
      }
      // A focused button or link takes the space bar for itself.
      if (range || !target.closest("button, a, summary")) run[" "] = handle.toggle;
      const action = run[latin(event)];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [player]);
}
