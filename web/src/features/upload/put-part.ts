/** The store's answer to one part. `status` 0 means none came. */
export class PutError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(status === 0 ? "the part did not arrive" : `the store answered ${status}`);
    this.name = "PutError";
    this.status = status;
  }
}

/** Sends one part straight to its signed URL and gives the ETag (null when the store does not show it).
 *  XMLHttpRequest, because `fetch` tells nothing about bytes on their way up. */
export function putPart(url: string, body: Blob, onProgress: (sent_bytes: number) => void, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const done = () => signal.removeEventListener("abort", abort);
    request.open("PUT", url);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      done();
      if (request.status >= 200 && request.status < 300) resolve(request.getResponseHeader("etag"));
      else reject(new PutError(request.status));
    };
    request.onerror = () => {
      done();
      reject(new PutError(0));
    };
    request.onabort = () => {
      done();
      reject(new DOMException("stopped", "AbortError"));
    };
    if (signal.aborted) return reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", abort);
    request.send(body);
  });
}
