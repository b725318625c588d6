/** Hands a response to the browser as a file. `fallback` is its name when the server gives none. */
export async function saveAsFile(response: Response, fallback: string) {
  const named = /filename="([^"/\\]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = named ?? fallback;
  link.click();
  // The browser has begun to read by the next turn; until then the address must stay.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
