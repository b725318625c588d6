import { useState } from "react";
import type { View } from "./VideoList";

const KEY = "heimdex.library.view";

const stored = (): View => {
  try {
    return localStorage.getItem(KEY) === "list" ? "list" : "grid";
  } catch {
    return "grid";
  }
};

/** Grid or list, as the person left it. */
export function useView(): [View, (view: View) => void] {
  const [view, setView] = useState(stored);
  return [
    view,
    (next) => {
      setView(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // Without storage the choice lasts for this visit.
      }
    },
  ];
}
