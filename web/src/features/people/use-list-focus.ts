import { useEffect, useRef } from "react";

/** For the heading of a list whose items can be removed: when the item that had the keyboard is gone, the keyboard goes on from
 *  the heading and not from the top of the page. The heading needs `tabIndex={-1}`. */
export function useListFocus(ids: readonly string[]) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(ids);
  useEffect(() => {
    const gone = before.current.some((id) => !ids.includes(id));
    before.current = ids;
    if (gone && document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, [ids]);
  return heading;
}
