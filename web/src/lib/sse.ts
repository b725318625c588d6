/** Server-sent events over `fetch`, so that the token travels in a header and never in a URL.
 *  The format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */

export interface SseEvent {
  event: string;
  data: string;
  id: string;
}

/** Feeds on text in any pieces and gives the events that have become whole. */
export class SseParser {
  #buffer = "";
  #data: string[] = [];
  #event = "";
  #id = "";
  #first = true;

  push(chunk: string): SseEvent[] {
    const events: SseEvent[] = [];
    this.#buffer += chunk;
    if (this.#first && this.#buffer.length > 0) {
      this.#first = false;
      if (this.#buffer.startsWith("\uFEFF")) this.#buffer = this.#buffer.slice(1);
    }
    for (;;) {
      const end = this.#buffer.search(/[\r\n]/);
      if (end < 0) break;
      const carriageReturn = this.#buffer[end] === "\r";
      // A "\r" at the very end may be the first half of "\r\n": wait for what follows.
      if (carriageReturn && end === this.#buffer.length - 1) break;
      const line = this.#buffer.slice(0, end);
      const width = carriageReturn && this.#buffer[end + 1] === "\n" ? 2 : 1;
      this.#buffer = this.#buffer.slice(end + width);
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): SseEvent | null {
    if (line === "") {
      const data = this.#data;
      const event = this.#event || "message";
      this.#data = [];
      this.#event = "";
      return data.length > 0 ? { event, data: data.join("\n"), id: this.#id } : null;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }
}

/** Exponential with full jitter, in milliseconds: attempt 0 → up to `base_ms`. */
export function backoffMs(attempt: number, base_ms = 1000, max_ms = 30_000, random = Math.random): number {
  const ceiling = Math.min(max_ms, base_ms * 2 ** attempt);
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}

export interface SubscribeOptions {
  open: (signal: AbortSignal) => Promise<Response>;
  onEvent: (event: SseEvent) => void;
  onStatus?: (connected: boolean) => void;
  /** A stream that is silent for this long (the server's heartbeat is 15 s) is taken for dead. */
  silence_ms?: number;
}

/** Keeps a stream open until the returned function is called. Reconnects with back-off, at once when the network or the
 *  person comes back. A reconnect starts with the server's snapshot, so nothing missed stays missed. */
export function subscribe({ open, onEvent, onStatus, silence_ms = 45_000 }: SubscribeOptions): () => void {
  let stopped = false;
  let attempt = 0;
  let controller = new AbortController();
  let wake: (() => void) | null = null;

  const run = async () => {
    while (!stopped) {
      controller = new AbortController();
      let watchdog: ReturnType<typeof setTimeout> | undefined;
      const alive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => controller.abort(), silence_ms);
      };
      try {
        alive();
        const response = await open(controller.signal);
        if (!response.body) throw new Error("the stream has no body");
        onStatus?.(true);
        const parser = new SseParser();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          alive();
          for (const event of parser.push(value)) {
            attempt = 0;
            if (!stopped) onEvent(event);
          }
        }
      } catch {
        // Any end of the stream means the same thing: connect again.
      }
      clearTimeout(watchdog);
      if (stopped) break;
      onStatus?.(false);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, backoffMs(attempt));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = null;
      attempt += 1;
    }
  };

  const hurry = () => {
    if (document.visibilityState === "visible") wake?.();
  };
  window.addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  void run();

  return () => {
    stopped = true;
    window.removeEventListener("online", hurry);
    document.removeEventListener("visibilitychange", hurry);
    controller.abort();
    wake?.();
  };
}
