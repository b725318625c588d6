import { useQuery } from "@tanstack/react-query";
import { indexAt } from "./follow";
import { parseSprite } from "@/lib/sprite";

/** The picture at a moment, cut out of the sprite sheet. Nothing until the sheet's cues are read, nothing if they cannot be. */
export function SpritePreview({ sprite, at_ms }: { sprite: { url: string; vtt_url: string }; at_ms: number }) {
  const tiles = useQuery({
    // The signature changes, the sheet does not.
    queryKey: ["sprite", sprite.vtt_url.split("?", 1)[0]],
    queryFn: async ({ signal }) => {
      const response = await fetch(sprite.vtt_url, { signal });
      if (!response.ok) throw new Error(`the store answered ${response.status}`);
      return parseSprite(await response.text());
    },
    staleTime: Infinity,
    retry: 1,
  }).data;
  const tile = tiles?.[Math.max(0, indexAt(tiles.map((each) => each.start_ms), at_ms))];
  if (!tile) return null;
  return (
    <div
      className="rounded-lg ring-2 ring-white/80"
      style={{ width: tile.width, height: tile.height, backgroundImage: `url("${sprite.url}")`, backgroundPosition: `-${tile.x}px -${tile.y}px` }}
    />
  );
}
