import type { Place } from "./graph";

/** Of a node, and between two, in pixels. Seven columns fit the page. */
export const WIDTH = 150;
export const HEIGHT = 152;
export const GAP_X = 26;
export const GAP_Y = 28;
/** How round a corner is. */
const ROUND = 6;

export const at = ({ column, row }: Place) => ({ x: column * (WIDTH + GAP_X), y: row * (HEIGHT + GAP_Y) });

/** The way of a line from one stage to one that needs it, as SVG draws it. Lines run between the nodes, never behind one: across more
 *  than one column they take the lane under the upper of the two rows. What leaves a node turns in the first half of the gap, what
 *  comes to one in the second, so that two of them do not lie on each other. */
export function edge(from: Place, to: Place): string {
  const [a, b] = [at(from), at(to)];
  const start = { x: a.x + WIDTH, y: a.y + HEIGHT / 2 };
  const end = { x: b.x, y: b.y + HEIGHT / 2 };
  if (to.column === from.column + 1) {
    if (from.row === to.row) return `M${start.x} ${start.y}H${end.x}`;
    const middle = start.x + GAP_X / 2;
    return through([start, { x: middle, y: start.y }, { x: middle, y: end.y }, end]);
  }
  // What comes up keeps to the upper part of the lane, what goes down to the lower.
  const lane = at({ column: 0, row: Math.min(from.row, to.row) + 1 }).y - (GAP_Y * (from.row > to.row ? 2 : 1)) / 3;
  const out = start.x + GAP_X / 4;
  const into = end.x - GAP_X / 4;
  return through([start, { x: out, y: start.y }, { x: out, y: lane }, { x: into, y: lane }, { x: into, y: end.y }, end]);
}

interface Point {
  x: number;
  y: number;
}

/** A line through points that are straight above or beside each other, its corners rounded. */
function through(points: readonly Point[]): string {
  const towards = (from: Point, to: Point) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const round = Math.min(ROUND, length / 2);
    return { x: from.x + ((to.x - from.x) / (length || 1)) * round, y: from.y + ((to.y - from.y) / (length || 1)) * round };
  };
  return points
    .map((point, index) => {
      const [before, next] = [points[index - 1], points[index + 1]];
      if (!before) return `M${point.x} ${point.y}`;
      if (!next) return `L${point.x} ${point.y}`;
      const [leave, go] = [towards(point, before), towards(point, next)];
      return `L${leave.x} ${leave.y}Q${point.x} ${point.y} ${go.x} ${go.y}`;
    })
    .join("");
}
