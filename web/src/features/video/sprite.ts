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
