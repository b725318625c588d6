/** A mail's plain text in parts: what can be pressed, what is typed elsewhere, and the rest. */
export type Part = { kind: "text" | "link" | "code"; text: string };

const PRESSABLE = /(https?:\/\/[^\s<>"]+)|(?<!\d)(\d{6})(?!\d)/g;

export function partsOf(body: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  const push = (kind: Part["kind"], text: string) => text !== "" && parts.push({ kind, text });
  for (const match of body.matchAll(PRESSABLE)) {
    // A full stop or a bracket behind an address belongs to the sentence.
    const text = match[1] ? match[0].replace(/[.,;:!?)\]]+$/, "") : match[0];
    push("text", body.slice(from, match.index));
    push(match[1] ? "link" : "code", text);
    from = match.index + text.length;
  }
  push("text", body.slice(from));
  return parts;
}
