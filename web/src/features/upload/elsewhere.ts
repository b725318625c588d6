/** Uploads that a tab of this browser is sending. They are told by locks, which a browser releases when a tab is gone, however it went.
 *  Without them (plain http) nothing is known of other tabs. */
const PREFIX = "heimdex.upload.";

const locks = () => (navigator as { locks?: Pick<LockManager, "request" | "query"> }).locks;

/** Says that this tab has an upload, until the returned function is called. */
export function holdUpload(video_id: string): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Shared: two tabs may have the same one.
  locks()
    ?.request(`${PREFIX}${video_id}`, { mode: "shared" }, () => held)
    .catch(() => undefined);
  return release;
}

/** The uploads that this tab or another has. */
export async function heldUploads(): Promise<ReadonlySet<string>> {
  const { held } = (await locks()?.query()) ?? {};
  return new Set((held ?? []).flatMap(({ name }) => (name?.startsWith(PREFIX) ? name.slice(PREFIX.length) : [])));
}
