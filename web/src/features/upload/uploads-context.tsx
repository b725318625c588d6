import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import { keys } from "@/lib/api/queries";
import { useServices } from "@/lib/services";
import { refreshLists } from "@/lib/video-lists";
import { holdUpload } from "./elsewhere";
import { hashFile } from "./hash-file";
import { UploadManager } from "./manager";
import { newKey } from "./new-key";
import { PendingStore } from "./pending";
import { putPart } from "./put-part";
import { uploadApi } from "./upload-api";

const ManagerContext = createContext<UploadManager | null>(null);

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });
}

function online(signal: AbortSignal): Promise<void> {
  if (navigator.onLine) return Promise.resolve();
  return new Promise((resolve, reject) => {
    window.addEventListener("online", () => resolve(), { once: true, signal });
    signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
  });
}

export function UploadsProvider({ userId, children }: { userId: string; children: ReactNode }) {
  const { api } = useServices();
  const client = useQueryClient();
  const [manager] = useState(
    () =>
      new UploadManager({
        api: uploadApi(api),
        putPart,
        hash: hashFile,
        wait,
        online,
        now: () => Date.now(),
        newKey,
        pending: new PendingStore(localStorage, userId),
        changed: () => {
          refreshLists(api, client);
          void client.invalidateQueries({ queryKey: keys.usage });
        },
      }),
  );

  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (manager.busy) event.preventDefault();
    };
    window.addEventListener("beforeunload", ask);
    return () => {
      window.removeEventListener("beforeunload", ask);
      manager.stopAll();
    };
  }, [manager]);

  // Other tabs must not take these for uploads that broke off.
  useEffect(() => {
    const releases = new Map<string, () => void>();
    const follow = () => {
      const mine = new Set(manager.items().flatMap(({ video_id, status }) => (video_id !== null && status !== "done" ? video_id : [])));
      for (const id of mine) if (!releases.has(id)) releases.set(id, holdUpload(id));
      for (const [id, release] of releases) {
        if (mine.has(id)) continue;
        release();
        releases.delete(id);
      }
    };
    const stop = manager.subscribe(follow);
    return () => {
      stop();
      for (const release of releases.values()) release();
    };
  }, [manager]);

  return <ManagerContext value={manager}>{children}</ManagerContext>;
}

export function useUploads() {
  const manager = useContext(ManagerContext);
  if (!manager) throw new Error("useUploads outside of UploadsProvider");
  const items = useSyncExternalStore(manager.subscribe, manager.items);
  return { manager, items };
}
