/** One picture of a sprite sheet and the time it stands for. */
export interface Tile {
  start_ms: number;
  end_ms: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUE = /^(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})/;
const BOX = /#xywh=(\d+),(\d+),(\d+),(\d+)\s*$/;

const ms = (hours: string | undefined, minutes: string | undefined, seconds: string | undefined, rest: string | undefined) =>
  ((Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(rest);

/** Reads WebVTT thumbnails: cues whose text is `sheet#xywh=x,y,w,h` (W3C media fragments). What is no such cue is skipped. */
export function parseSprite(vtt: string): Tile[] {
  const tiles: Tile[] = [];
  const lines = vtt.split(/\r\n|\r|\n/);
  lines.forEach((line, index) => {
    const time = CUE.exec(line.trim());
    const box = BOX.exec(lines[index + 1] ?? "");
    if (!time || !box) return;
    const [x = 0, y = 0, width = 0, height = 0] = box.slice(1).map(Number);
    if (width === 0 || height === 0) return;
    tiles.push({ start_ms: ms(time[1], time[2], time[3], time[4]), end_ms: ms(time[5], time[6], time[7], time[8]), x, y, width, height });
  });
  return tiles.sort((a, b) => a.start_ms - b.start_ms);
}

/** The picture for a moment: the last one that has begun, or the first. */
export function tileAt(tiles: readonly Tile[], at_ms: number): Tile | undefined {
  let found = tiles[0];
  for (const tile of tiles) {
    if (tile.start_ms > at_ms) break;
    found = tile;
  }
  return found;
}

/** CSS that shows one picture of the sheet over the whole of an element of the picture's own proportions, whatever its size. */
export function tileStyle(tiles: readonly Tile[], tile: Tile): { backgroundSize: string; backgroundPosition: string; aspectRatio: string } {
  const sheet_width = Math.max(...tiles.map((each) => each.x + each.width));
  const sheet_height = Math.max(...tiles.map((each) => each.y + each.height));
  const share = (at: number, room: number) => (room > 0 ? (at / room) * 100 : 0);
  return {
    backgroundSize: `${(sheet_width / tile.width) * 100}% ${(sheet_height / tile.height) * 100}%`,
    backgroundPosition: `${share(tile.x, sheet_width - tile.width)}% ${share(tile.y, sheet_height - tile.height)}%`,
    aspectRatio: `${tile.width} / ${tile.height}`,
  };
}
