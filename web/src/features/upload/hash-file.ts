/** SHA-256 of a whole file in hexadecimal, computed beside the page. Null when this browser cannot: then it is sent unasked,
 *  and the server tells of a double afterwards. */
export function hashFile(file: File, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./hash.worker.ts", import.meta.url), { type: "module" });
    const stop = () => {
      worker.terminate();
      reject(new DOMException("stopped", "AbortError"));
    };
    const finish = (hex: string | null) => {
      signal.removeEventListener("abort", stop);
      worker.terminate();
      resolve(hex);
    };
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    worker.onmessage = ({ data }: MessageEvent<string | null>) => finish(data);
    worker.onerror = () => finish(null);
    worker.postMessage(file);
  });
}
